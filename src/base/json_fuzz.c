// SPDX-License-Identifier: Apache-2.0
/* Random bytes drive the writer: whatever they make it write, the document parses. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes one value (or, with a name, one member) as the next bytes say. */
static void write_value(struct json *j, struct cursor *c)
{
    switch (cursor_u8(c) % 6) {
    case 0:
        json_u64(j, cursor_be64(c));
        break;
    case 1:
        json_i64(j, (int64_t)cursor_be64(c));
        break;
    case 2: {
        uint64_t bits = cursor_be64(c);
        double value;
        memcpy(&value, &bits, sizeof value);
        json_double(j, value);
        break;
    }
    case 3:
        json_bool(j, cursor_u8(c) & 1);
        break;
    default: {
        size_t want = cursor_u8(c);
        size_t left = cursor_left(c);
        json_span(j, cursor_take(c, want < left ? want : left));
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(span_of(data, size));
    struct json j;
    json_init(&j);
    json_object_begin(&j);
    while (!c.bad && cursor_left(&c) > 0) {
        size_t want = cursor_u8(&c) % 16;
        size_t left = cursor_left(&c);
        json_key_span(&j, cursor_take(&c, want < left ? want : left));
        write_value(&j, &c);
    }
    json_key(&j, "all");
    json_span(&j, span_of(data, size));
    json_object_end(&j);
    if (!j.failed && !json_check(j.data, j.size)) {
        abort();
    }
    json_done(&j);
    return 0;
}
