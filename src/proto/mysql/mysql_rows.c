// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_rows.h"

#include "base/csv.h"

enum { TEXT_FIRST = 496, COLUMN_FIXED = 12 };

/* ---- The text ------------------------------------------------------------------------------- */

static bool grow_text(struct mysql_reply *r)
{
    size_t wanted = r->text_room == 0 ? TEXT_FIRST : 2 * (size_t)r->text_room;
    size_t most = (size_t)r->options->max_message_size;
    if (r->text_room >= most) {
        r->text_cut = PROTO_CUT_AT_MOST;
        return false;
    }
    char *text = slab_grow_large(r->slab, r->text, wanted < most ? wanted : most);
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
static void append(struct mysql_reply *r, const struct span *field, bool is_first)
{
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
    } while (csv.full && grow_text(r));
    r->text_size = (uint32_t)csv.size;
}

/* ---- Columns -------------------------------------------------------------------------------- */

void mysql_rows_begin(struct mysql_reply *r)
{
    r->kind_count = 0;
    r->set_rows = 0;
    if (r->options->common.send_response && r->is_binary && r->kinds == NULL) {
        r->kinds = slab_take(r->slab, MYSQL_COLUMNS_MAX * sizeof *r->kinds);
    }
}

/* Adds schema.table to the list, unless it is there. */
static void add_table(struct mysql_reply *r, struct span schema, struct span table)
{
    char name[2 * 65 * 4];
    if (schema.size + table.size + 1 > sizeof name) {
        return;
    }
    char *end = mempcpy(name, schema.data, schema.size);
    *end++ = '.';
    end = mempcpy(end, table.data, table.size);
    size_t size = (size_t)(end - name);
    if (r->path == NULL) {
        r->path = slab_take(r->slab, MYSQL_PATH_MAX);
    } else if (memmem(r->path, r->path_size, name, size) != NULL) {
        return;
    }
    size_t comma = r->path_size > 0 ? 2 : 0;
    if (r->path == NULL || r->path_size + comma + size > MYSQL_PATH_MAX) {
        return;
    }
    memcpy(r->path + r->path_size, ", ", comma);
    memcpy(r->path + r->path_size + comma, name, size);
    r->path_size += (uint32_t)(comma + size);
}

static void keep_kind(struct mysql_reply *r, struct cursor *c)
{
    cursor_skip(c, 2 + 4); /* character set, display width */
    uint8_t type = cursor_u8(c);
    unsigned flags = (unsigned)mysql_fixed(c, 2);
    if (r->kinds != NULL && r->kind_count < MYSQL_COLUMNS_MAX && !c->bad) {
        r->kinds[r->kind_count++] = (struct mysql_kind){
            .type = type, .is_unsigned = flags & 0x20}; /* UNSIGNED_FLAG */
    }
}

bool mysql_rows_column(struct mysql_reply *r, struct span body)
{
    struct cursor c = cursor_of(body);
    struct span catalog = mysql_text(&c), schema = mysql_text(&c), alias = mysql_text(&c);
    struct span table = mysql_text(&c), name = mysql_text(&c);
    mysql_text(&c); /* the column's own name */
    if (c.bad || !span_equal(catalog, span_str("def"))) {
        return false;
    }
    struct span shown = table.size > 0 ? table : alias;
    if (schema.size > 0 && shown.size > 0) {
        add_table(r, schema, shown);
    }
    if (r->options->common.send_response) {
        append(r, &name, r->columns_left == r->columns);
        while (!c.bad && cursor_left(&c) > COLUMN_FIXED + 1) { /* MARIADB_CLIENT_EXTENDED_METADATA */
            mysql_text(&c);
        }
        mysql_number(&c);
        keep_kind(r, &c);
    }
    return true;
}

void mysql_rows_end_header(struct mysql_reply *r)
{
    if (r->options->common.send_response) {
        append(r, NULL, false);
    }
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* A row's bytes of values that are still shown. */
static struct span within(struct span value, size_t *budget)
{
    struct span part = span_head(value, *budget);
    *budget -= part.size;
    return part;
}

static void add_text_row(struct mysql_reply *r, struct cursor *c, size_t budget)
{
    for (uint64_t i = 0; i < r->columns && cursor_left(c) > 0; i++) {
        struct span value;
        if (*c->at == MYSQL_NO_VALUE) {
            cursor_skip(c, 1);
            value = span_str("NULL");
        } else {
            value = mysql_text(c);
        }
        value = within(value, &budget);
        append(r, &value, i == 0);
    }
}

static void add_binary_row(struct mysql_reply *r, struct cursor *c, size_t budget)
{
    char room[MYSQL_VALUE_ROOM];
    cursor_skip(c, 1);
    struct span bitmap = cursor_take(c, (size_t)((r->columns + 7 + 2) / 8));
    for (uint32_t i = 0; i < r->kind_count && !c->bad; i++) {
        bool is_null = bitmap.data[(i + 2) / 8] >> ((i + 2) % 8) & 1;
        struct span value = is_null ? span_str("NULL") : mysql_value(c, r->kinds[i], room);
        value = within(value, &budget);
        append(r, &value, i == 0);
    }
}

void mysql_rows_add(struct mysql_reply *r, const struct mysql_packet *packet)
{
    if (!r->options->common.send_response || r->set_rows >= (uint64_t)r->options->max_rows) {
        return;
    }
    r->set_rows++;
    struct cursor c = cursor_of(packet->body);
    if (r->is_binary) {
        add_binary_row(r, &c, (size_t)r->options->max_row_length);
    } else {
        add_text_row(r, &c, (size_t)r->options->max_row_length);
    }
    append(r, NULL, false);
}
