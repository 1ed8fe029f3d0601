// SPDX-License-Identifier: Apache-2.0
/* How whatever takes HTTP is reached, as all sections of Packetbeat's configuration say it that name such a
 * one: TLS, protocol, path, user, headers, proxy. Private to the reading of that configuration. */
#pragma once

#include "engine/beat_value.h"
#include "sink/sink.h"

/* Fills in what `map` says of it; NULL: nothing. False and an error in r->err. */
bool beat_read_access(struct beat_reading *r, const struct node *map, struct sink_cluster *c);
/* A map of names and values as "NAME<between>VALUE". */
struct text_list beat_pairs(struct beat_reading *r, const struct node *map, const char *path,
                            const char *between);
