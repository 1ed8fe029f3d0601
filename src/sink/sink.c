// SPDX-License-Identifier: Apache-2.0
#include "sink/sink.h"

#include <string.h>

const struct sink_kind *sink_kind_find(const char *name)
{
    for (const struct sink_kind *const *kind = sink_kinds; *kind != NULL; kind++) {
        if (strcmp((*kind)->name, name) == 0) {
            return *kind;
        }
    }
    return NULL;
}
