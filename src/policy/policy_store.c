// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_store.h"

#include "base/pages.h"
#include "summary/windows.h"

bool policy_store_init(struct policy_store *store, const struct handler *handler,
                       const struct handler_settings *settings)
{
    *store = (struct policy_store){.size = handler->set->size};
    if (!settings->is_recorded && settings->periods > 1) {
        store->windows = windows_new(handler->set, WINDOWS_SECONDS, settings->periods);
        return store->windows != NULL;
    }
    store->block = pages_reserve_sparse(store->size);
    if (store->block != NULL) {
        metric_block_reset(handler->set, store->block);
    }
    return store->block != NULL;
}

void policy_store_done(struct policy_store *store, const struct handler *handler)
{
    windows_free(store->windows);
    if (store->block != NULL) {
        pages_release(store->block, handler->set->size);
    }
    *store = (struct policy_store){0};
}

void policy_store_add(struct policy_store *store, const struct handler *handler,
                      const void *block, uint64_t time_ns)
{
    if (store->windows != NULL) {
        windows_add(store->windows, block, time_ns); /* it counts what comes too late */
    } else {
        metric_block_merge(handler->set, store->block, block);
    }
}
