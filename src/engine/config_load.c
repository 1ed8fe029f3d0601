// SPDX-License-Identifier: Apache-2.0
/* Files of configuration, before anybody looks into them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tree.h"
#include "engine/config_keys.h"

struct config *config_load(const char *path, struct config_problems *problems)
{
    bool is_input = strcmp(path, "-") == 0;
    const char *name = is_input ? "standard input" : path;
    *problems = (struct config_problems){0};
    FILE *file = is_input ? stdin : fopen(path, "re");
    if (file == NULL) {
        config_problem_reading(name, problems, strerror(errno));
        return NULL;
    }
    char *text = malloc(CONFIG_FILE_MAX + 1);
    if (text == NULL) {
        abort();
    }
    size_t size = fread(text, 1, CONFIG_FILE_MAX + 1, file);
    struct config *config = NULL;
    if (ferror(file)) {
        config_problem_reading(name, problems, strerror(errno));
    } else {
        config = config_parse(name, span_of(text, size), problems);
        if (config != NULL && config->policies != NULL) {
            config->policies_source = tree_keep(config->policies_memory, name);
        }
    }
    free(text);
    if (!is_input) {
        fclose(file);
    }
    return config;
}
