// SPDX-License-Identifier: Apache-2.0
#include "api/metrics_text.h"

#include <string.h>

void metrics_text_head(struct json *to, const char *name, const char *help)
{
    size_t size = strlen(name);
    bool is_counter = size > 6 && strcmp(name + size - 6, "_total") == 0;
    json_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                is_counter ? "counter" : "gauge");
}

void metrics_text_value(struct json *to, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '\n': json_append(to, "\\n", 2); break;
        case '\\': json_append(to, "\\\\", 2); break;
        case '"': json_append(to, "\\\"", 2); break;
        default: json_append(to, text, 1);
        }
    }
}
