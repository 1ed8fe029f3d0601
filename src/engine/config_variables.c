// SPDX-License-Identifier: Apache-2.0
#include "engine/config_variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { NAME_ROOM = 128 };

/* One "${NAME}" or "${NAME:default}" that begins at *at, which it steps over. */
static bool expand_one(const char **at, FILE *out, struct err *err)
{
    const char *name = *at + 2;
    const char *end = strchr(name, '}');
    if (end == NULL) {
        return err_set(err, ERR_USAGE,
                       "'${' without '}': write $${ for the characters themselves");
    }
    const char *colon = memchr(name, ':', (size_t)(end - name));
    size_t size = (size_t)((colon != NULL ? colon : end) - name);
    char variable[NAME_ROOM];
    char quote[NAME_ROOM];
    snprintf(variable, sizeof variable, "%.*s", (int)(size < NAME_ROOM ? size : NAME_ROOM - 1), name);
    const char *value = getenv(variable);
    if (value == NULL && colon == NULL) {
        text_printable(quote, sizeof quote, variable);
        return err_set(err, ERR_USAGE,
                       "environment variable %s is not set: set it, or give a default as "
                       "${%s:default}",
                       quote, quote);
    }
    if (value != NULL) {
        fputs(value, out);
    } else {
        fwrite(colon + 1, 1, (size_t)(end - colon - 1), out);
    }
    *at = end + 1;
    return true;
}

char *config_variables_expand(const char *text, struct err *err)
{
    char *ret = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&ret, &size);
    if (out == NULL) {
        abort();
    }
    bool is_good = true;
    for (const char *at = text; *at != '\0' && is_good;) {
        if (strncmp(at, "$${", 3) == 0) {
            fputs("${", out);
            at += 3;
        } else if (strncmp(at, "${", 2) == 0) {
            is_good = expand_one(&at, out, err);
        } else {
            fputc(*at++, out);
        }
    }
    if (fclose(out) != 0) {
        abort();
    }
    if (!is_good) {
        free(ret);
        return NULL;
    }
    return ret;
}
