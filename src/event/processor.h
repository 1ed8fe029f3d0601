// SPDX-License-Identifier: Apache-2.0
/* Events changed on their way out: a list of processors, each with a condition if there is one, as
 * Elastic's programs write them under `processors`. Made once from a configuration; then each event,
 * as a tree, goes through. Pure over the event, but for what it is told about the host; the output's
 * thread only. Costs nothing where there is no list. */
#pragma once

#include "base/err.h"
#include "base/node.h"

/* What processors may know besides the event; NULL where nobody knows. Lives as long as they do. */
struct processor_facts {
    const struct node *host; /* a map: name, hostname, architecture, os, ip, mac, id */
    const char *zone_offset;      /* "+01:00" */
    const char *zone_name;        /* "CET" */
};

struct processors; /* opaque */

/* Reads a list of processors, whose nodes are to live as long as what is made of them. NULL and err,
 * with LINE:COLUMN: in front, when something is wrong. What is known but does nothing here (cloud
 * metadata and the like) is put on `ignored`, a list of texts in the tree, if it is not NULL. */
struct processors *processors_new(const struct node *list, const struct processor_facts *facts,
                                  struct node *ignored, struct err *err);
void processors_free(struct processors *processors);

/* Puts an event through. False: it is to be dropped. */
bool processors_run(const struct processors *processors, struct nodes *tree,
                    struct node *event);

/* Names of all processors there are, NULL behind the last; for docs and completion. */
const char *processor_name(size_t index);
