// SPDX-License-Identifier: Apache-2.0
#include "cmd/packetbeat_export.h"

#include <stdio.h>
#include <sys/stat.h>

bool packetbeat_export_put(const char *folder, const char *kind, const char *name, struct span text)
{
    char path[4096];
    FILE *file = stdout;
    if (folder != NULL) {
        (void)mkdir(folder, 0755);
        snprintf(path, sizeof path, "%s/%s", folder, kind);
        (void)mkdir(path, 0755);
        snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
        file = fopen(path, "we");
    }
    bool is_good = file != NULL && fwrite(text.data, 1, text.size, file) == text.size;
    is_good = file != NULL && fflush(file) == 0 && is_good;
    if (file != NULL && file != stdout) {
        is_good = fclose(file) == 0 && is_good;
    }
    if (!is_good) {
        fprintf(stderr, "vantage packetbeat: %s cannot be written\n", folder != NULL ? path : "it");
    }
    return is_good;
}
