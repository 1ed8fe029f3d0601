// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: where what an instance counted is kept. */
#pragma once

#include "policy/policy_set.h"

bool policy_store_init(struct policy_store *store, const struct handler *handler,
                       const struct handler_settings *settings);
void policy_store_done(struct policy_store *store, const struct handler *handler);
/* Adds a block to the bucket of a time. */
void policy_store_add(struct policy_store *store, const struct handler *handler,
                      const void *block, uint64_t time_ns);
