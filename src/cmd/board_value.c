// SPDX-License-Identifier: Apache-2.0
#include "cmd/board_value.h"

#include <assert.h>
#include <string.h>

const struct metric *board_metric(const struct board *board, const char *set, const char *metric,
                                  const void **ret_value)
{
    for (uint32_t i = 0; i < board->set_count; i++) {
        if (strcmp(board->sets[i].set->name, set) != 0) {
            continue;
        }
        for (const struct metric *m = board->sets[i].set->metrics; m->name != NULL; m++) {
            if (strcmp(m->name, metric) == 0) {
                *ret_value = (const uint8_t *)board->sets[i].total + m->offset;
                return m;
            }
        }
    }
    assert(!"a metric of that name");
    return NULL;
}

uint64_t board_label_value(const struct board *board, const char *set, const char *metric,
                           unsigned label)
{
    const void *value;
    const struct metric *m = board_metric(board, set, metric, &value);
    assert(label == 0 || label < m->label_count);
    return ((const uint64_t *)value)[label];
}

uint64_t board_value(const struct board *board, const char *set, const char *metric)
{
    return board_label_value(board, set, metric, 0);
}
