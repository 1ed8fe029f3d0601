// SPDX-License-Identifier: Apache-2.0
#include "base/bundle.h"

const struct bundle_file *bundle_find(const struct bundle_file *bundle, const char *path)
{
    for (const struct bundle_file *file = bundle; file->path != NULL; file++) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}
