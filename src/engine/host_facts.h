// SPDX-License-Identifier: Apache-2.0
/* What this machine is: its name, system, addresses and time zone, in ECS's words, asked once at
 * start. Cold path. */
#pragma once

#include "event/processor.h"

/* Made in the tree, in which it lives. */
struct processor_facts host_facts(struct nodes *tree);

/* The machine's name. */
const char *host_facts_name(struct nodes *tree);

/* A UUID that is the same each time on this machine, made of `seed`; with seed 0 one at random. */
const char *host_facts_uuid(struct nodes *tree, unsigned seed);
