// SPDX-License-Identifier: Apache-2.0
/* Whose conversation it is: an event whose source or destination is this machine gets the process that
 * holds the socket there, in source.process, destination.process (client, server) and process, as
 * Packetbeat names them. Live only: of a capture nobody knows. The output's thread only. */
#pragma once

#include "base/node.h"
#include "engine/config.h"

struct attribution; /* opaque */

/* `settings` is to outlive it. */
struct attribution *attribution_new(const struct config_processes *settings, struct err *err);
/* NULL is fine. */
void attribution_free(struct attribution *attribution);

void attribution_add(struct attribution *attribution, struct nodes *tree, struct node *event);
