// SPDX-License-Identifier: Apache-2.0
/* The columns and rows of an answer: counted, and, where the settings ask for it, their text as CSV
 * within max_rows and max_row_length. */
#include "base/csv.h"
#include "proto/pgsql/pgsql_flow.h"
#include "proto/pgsql/pgsql_value.h"

enum { TEXT_FIRST = 496, COLUMN_FIXED = 18 };

static const struct pgsql_options *options_of(const struct proto_context *c)
{
    return (const struct pgsql_options *)c->settings;
}

static bool grow_text(const struct proto_context *c, struct pgsql_reply *r)
{
    size_t wanted = r->text_room == 0 ? TEXT_FIRST : 2 * (size_t)r->text_room;
    size_t most = (size_t)options_of(c)->max_message_size;
    if (r->text_room >= most) {
        r->text_cut = PROTO_CUT_AT_MOST;
        return false;
    }
    char *text = slab_grow_large(c->memory, r->text, wanted < most ? wanted : most);
    if (text == NULL) {
        r->text_cut = PROTO_CUT_SHORT;
        return false;
    }
    size_t room = slab_room(text);
    r->text = text;
    r->text_room = (uint32_t)(room < most ? room : most);
    return true;
}

/* Appends a field, or with NULL ends the row, as long as there is room. */
static void append(const struct proto_context *c, const struct span *field, bool is_first)
{
    struct pgsql_reply *r = ((struct pgsql_flow *)c->state)->reply;
    struct csv csv;
    do {
        csv = (struct csv){.data = r->text, .size = r->text_size, .room = r->text_room};
        if (r->text == NULL) {
            csv.full = true;
        } else if (field != NULL) {
            csv_field(&csv, *field, is_first);
        } else {
            csv_end_row(&csv);
        }
    } while (csv.full && grow_text(c, r));
    r->text_size = (uint32_t)csv.size;
}

static void keep_column(struct pgsql_reply *r, struct span fixed)
{
    if (r->columns != NULL && r->kind_count < PGSQL_COLUMNS_MAX && fixed.size == COLUMN_FIXED) {
        r->columns[r->kind_count++] = (struct pgsql_column){
            .type = load_be32(fixed.data + 6), .is_binary = load_be16(fixed.data + 16) == 1};
    }
}

/* RowDescription: of each column its name, where it is from, its type, how it is written. */
void pgsql_rows_describe(struct proto_context *c, struct span body)
{
    struct pgsql_reply *r = ((struct pgsql_flow *)c->state)->reply;
    struct cursor in = cursor_of(body);
    r->fields = cursor_be16(&in);
    if (!options_of(c)->common.send_response || r->text_size > 0) {
        return;
    }
    if (r->columns == NULL) {
        r->columns = slab_take(c->memory, PGSQL_COLUMNS_MAX * sizeof *r->columns);
    }
    r->kind_count = 0;
    for (uint32_t i = 0; i < r->fields && !in.bad; i++) {
        struct span name = pgsql_text(&in);
        keep_column(r, cursor_take(&in, COLUMN_FIXED));
        append(c, &name, i == 0);
    }
    append(c, NULL, false);
}

static struct span value_of(const struct pgsql_reply *r, uint32_t i, struct span bytes,
                            char room[PGSQL_VALUE_ROOM])
{
    if (i < r->kind_count && r->columns[i].is_binary) {
        return pgsql_value(bytes, r->columns[i].type, room);
    }
    return bytes;
}

/* DataRow: of each column its length, -1 for NULL, and its value. */
void pgsql_rows_add(struct proto_context *c, struct span body)
{
    struct pgsql_reply *r = ((struct pgsql_flow *)c->state)->reply;
    struct cursor in = cursor_of(body);
    uint32_t columns = cursor_be16(&in);
    r->rows++;
    r->fields = r->fields != 0 ? r->fields : columns;
    if (!options_of(c)->common.send_response ||
        r->shown >= (uint64_t)options_of(c)->max_rows) {
        return;
    }
    r->shown++;
    size_t budget = (size_t)options_of(c)->max_row_length;
    char room[PGSQL_VALUE_ROOM];
    for (uint32_t i = 0; i < columns && !in.bad && cursor_left(&in) > 0; i++) {
        uint32_t size = cursor_be32(&in);
        bool is_cut = size <= INT32_MAX && size > cursor_left(&in);
        struct span bytes = cursor_take(&in, size > INT32_MAX ? 0 : is_cut ? cursor_left(&in) : size);
        struct span value = span_head(value_of(r, i, bytes, room), budget);
        budget -= value.size;
        append(c, &value, i == 0);
    }
    append(c, NULL, false);
}
