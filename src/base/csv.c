// SPDX-License-Identifier: Apache-2.0
#include "base/csv.h"

static bool wants_quotes(struct span text)
{
    if (text.size == 0) {
        return false;
    }
    return text.data[0] == ' ' || text.data[0] == '\t' ||
           memchr(text.data, ',', text.size) != NULL || memchr(text.data, '"', text.size) != NULL;
}

static char *write_quoted(char *at, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '\n' || byte == '\r') {
            *at++ = '\\';
            *at++ = byte == '\n' ? 'n' : 'r';
            continue;
        }
        if (byte == '"') {
            *at++ = '"';
        }
        *at++ = (char)byte;
    }
    return at;
}

void csv_field(struct csv *csv, struct span text, bool is_first)
{
    /* Each byte may become two; then the quotes and the comma. */
    if (csv->full || csv->room - csv->size < 2 * text.size + 3) {
        csv->full = true;
        return;
    }
    char *at = csv->data + csv->size;
    if (!is_first) {
        *at++ = ',';
    }
    bool quotes = wants_quotes(text);
    if (quotes) {
        *at++ = '"';
    }
    at = write_quoted(at, text);
    if (quotes) {
        *at++ = '"';
    }
    csv->size = (size_t)(at - csv->data);
}

void csv_end_row(struct csv *csv)
{
    if (csv->full || csv->size == csv->room) {
        csv->full = true;
        return;
    }
    csv->data[csv->size++] = '\n';
}
