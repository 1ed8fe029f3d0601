// SPDX-License-Identifier: Apache-2.0
#include "engine/notices.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "summary/topn.h"

static bool is_new(struct notices *notices, const char *line)
{
    uint64_t hash = hash64(line, strlen(line), 0);
    for (uint32_t i = 0; i < notices->count; i++) {
        if (notices->told[i] == hash) {
            return false;
        }
    }
    if (notices->count == NOTICES_MAX) {
        return false;
    }
    notices->told[notices->count++] = hash;
    return true;
}

static void tell_items(struct notices *notices, const struct metric *metric, const struct topn *items)
{
    for (const struct topn_item *i = topn_first(items); i != NULL; i = topn_after(items, i)) {
        char key[METRIC_KEY_ROOM], line[METRIC_KEY_ROOM + 128];
        metric_key_text(metric->key, topn_key(items, i), key, sizeof key);
        snprintf(line, sizeof line, "%s%s", metric->notice, key);
        if (is_new(notices, line)) {
            log_info("%s", line);
        }
    }
}

void notices_tell(struct notices *notices, const struct delta *delta)
{
    const struct delta_layout *layout = delta->layout;
    for (uint32_t k = 0; k < layout->count; k++) {
        for (const struct metric *m = layout->sets[k]->metrics; m->name != NULL; m++) {
            if (m->notice != NULL && m->kind == METRIC_TOPN) {
                tell_items(notices, m,
                           (const struct topn *)(delta->blocks + layout->offsets[k] + m->offset));
            }
        }
    }
}
