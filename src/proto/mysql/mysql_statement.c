// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_statement.h"

static struct mysql_statement **bucket_of(const struct mysql_statements *all, uint32_t id)
{
    return &all->table->buckets[(id * 2654435761U) >> 26]; /* 6 bits of Knuth's multiplicative hash */
}

_Static_assert(MYSQL_BUCKETS == 1 << 6, "what bucket_of() gives");

struct mysql_statement *mysql_statement_find(const struct mysql_statements *all, uint32_t id)
{
    struct mysql_statement *s = all->table != NULL ? *bucket_of(all, id) : NULL;
    while (s != NULL && s->id != id) {
        s = s->chain;
    }
    return s;
}

static void unchain(struct mysql_statements *all, struct mysql_statement *statement)
{
    struct mysql_statement **at = bucket_of(all, statement->id);
    while (*at != statement) {
        at = &(*at)->chain;
    }
    *at = statement->chain;
}

void mysql_statement_drop(struct mysql_statements *all, struct slab *slab,
                          struct mysql_statement *statement)
{
    struct mysql_statement_table *table = all->table;
    unchain(all, statement);
    if (statement->older != NULL) {
        statement->older->newer = statement->newer;
    } else {
        table->oldest = statement->newer;
    }
    if (statement->newer != NULL) {
        statement->newer->older = statement->older;
    } else {
        table->newest = statement->older;
    }
    table->count--;
    table->bytes -= statement->size;
    slab_give(slab, statement);
    if (table->count == 0) {
        slab_give(slab, table);
        all->table = NULL;
    }
}

void mysql_statement_drop_all(struct mysql_statements *all, struct slab *slab)
{
    while (all->table != NULL) {
        mysql_statement_drop(all, slab, all->table->oldest);
    }
}

static bool has_table(struct mysql_statements *all, struct slab *slab)
{
    if (all->table == NULL) {
        all->table = slab_take(slab, sizeof *all->table);
        if (all->table != NULL) {
            *all->table = (struct mysql_statement_table){0};
        }
    }
    return all->table != NULL;
}

uint32_t mysql_statement_count(const struct mysql_statements *all)
{
    return all->table != NULL ? all->table->count : 0;
}

struct mysql_statement *mysql_statement_newest(const struct mysql_statements *all)
{
    return all->table != NULL ? all->table->newest : NULL;
}

/* Whether one more, of so many bytes, is too many. */
static bool is_full(const struct mysql_statement_table *table, size_t bytes)
{
    return table->count >= MYSQL_STATEMENTS_MAX || table->bytes + bytes > MYSQL_STATEMENTS_BYTES;
}

struct mysql_statement *mysql_statement_add(struct mysql_statements *all, struct slab *slab,
                                            uint32_t id, struct span text)
{
    struct mysql_statement *known = mysql_statement_find(all, id);
    bool is_cut = text.size > MYSQL_STATEMENT_MAX;
    text = span_head(text, MYSQL_STATEMENT_MAX);
    if (known != NULL) {
        mysql_statement_drop(all, slab, known);
    }
    while (all->table != NULL && is_full(all->table, text.size)) {
        mysql_statement_drop(all, slab, all->table->oldest);
    }
    struct mysql_statement *s = slab_take(slab, sizeof *s + text.size);
    if (s == NULL || !has_table(all, slab)) {
        slab_give(slab, s);
        return NULL;
    }
    struct mysql_statement_table *table = all->table;
    struct mysql_statement **bucket = bucket_of(all, id);
    *s = (struct mysql_statement){
        .chain = *bucket, .older = table->newest, .id = id, .size = (uint32_t)text.size,
        .is_cut = is_cut};
    if (text.size > 0) {
        memcpy(s->text, text.data, text.size);
    }
    *bucket = s;
    if (table->newest != NULL) {
        table->newest->newer = s;
    } else {
        table->oldest = s;
    }
    table->newest = s;
    table->count++;
    table->bytes += s->size;
    return s;
}

/* ---- Parameters ----------------------------------------------------------------------------- */

static struct mysql_kind take_kind(struct cursor *c)
{
    uint8_t type = cursor_u8(c);
    return (struct mysql_kind){.type = type, .is_unsigned = cursor_u8(c) & MYSQL_UNSIGNED};
}

/* The types of `count` parameters, of which the first are remembered. */
static void take_kinds(struct mysql_statement *s, struct cursor *c, uint64_t count, bool named)
{
    s->kinds_known = (uint16_t)(count < MYSQL_PARAMS_MAX ? count : MYSQL_PARAMS_MAX);
    for (uint64_t i = 0; i < count && !c->bad; i++) {
        struct mysql_kind kind = take_kind(c);
        if (i < MYSQL_PARAMS_MAX) {
            s->kinds[i] = kind;
        }
        if (named) {
            mysql_text(c);
        }
    }
    if (c->bad) {
        s->kinds_known = 0;
    }
}

static bool is_null(struct span bitmap, unsigned i)
{
    return bitmap.data[i / 8] >> (i % 8) & 1;
}

void mysql_statement_params(struct mysql_statement *s, struct span body, bool has_count,
                            struct mysql_params *ret)
{
    struct cursor c = cursor_of(body);
    uint64_t count = has_count ? mysql_number(&c) : s->params;
    ret->count = 0;
    struct span bitmap = cursor_take(&c, (size_t)((count + 7) / 8));
    if (c.bad || count == 0 || count > UINT16_MAX) {
        return;
    }
    if (cursor_u8(&c) == 1) {
        take_kinds(s, &c, count, has_count);
    }
    for (unsigned i = 0; i < s->kinds_known && i < count && !c.bad; i++) {
        if (i < 64 && s->long_data >> i & 1) {
            ret->items[i] = span_str("(long data)");
        } else if (is_null(bitmap, i)) {
            ret->items[i] = span_str("NULL");
        } else {
            ret->items[i] = span_head(mysql_value(&c, s->kinds[i], ret->rooms[i]), MYSQL_PARAM_BYTES);
        }
        ret->count = i + 1;
    }
    s->long_data = 0;
}

bool mysql_has_attributes(struct span said)
{
    return said.size > 2 && said.data[0] <= MYSQL_PARAMS_MAX && said.data[1] == 1;
}

void mysql_statement_skip_attributes(struct cursor *c, uint64_t count)
{
    struct span bitmap = cursor_take(c, (size_t)((count + 7) / 8));
    cursor_skip(c, 1); /* "types follow", always so */
    struct cursor kinds = *c;
    for (uint64_t i = 0; i < count && !c->bad; i++) {
        take_kind(c);
        mysql_text(c);
    }
    char room[MYSQL_VALUE_ROOM];
    for (unsigned i = 0; i < count && !c->bad; i++) { /* the kinds once more, beside their values */
        struct mysql_kind kind = take_kind(&kinds);
        mysql_text(&kinds);
        if (!is_null(bitmap, i)) {
            mysql_value(c, kind, room);
        }
    }
}
