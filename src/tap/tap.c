// SPDX-License-Identifier: Apache-2.0
#include "tap/tap.h"

#include <string.h>

const struct tap_kind *tap_kind_find(const char *name)
{
    for (const struct tap_kind *const *kind = tap_kinds; *kind != NULL; kind++) {
        if (strcmp((*kind)->name, name) == 0) {
            return *kind;
        }
    }
    return NULL;
}
