// SPDX-License-Identifier: Apache-2.0
/* What a worker's conversations are, private to conversation*.c: conversation.c holds them,
 * conversation_life.c makes them and ends them. */
#pragma once

#include "engine/conversation.h"
#include "engine/conversation_pool.h"
#include "engine/transaction_log.h"

struct conversations {
    struct conversation_options options;
    struct conversation_pool pool;
    struct slab *slab;
    struct transaction_log log;
    struct proto_context context; /* of the call at hand */
    struct conversation_stats stats;
};
