// SPDX-License-Identifier: Apache-2.0
/* Processors that read what a text holds: JSON, base64, URL escapes, the kind of a file. */
#include "event/processor_core.h"

#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/node_json.h"

/* ---- decode_json_fields ------------------------------------------------------------------------- */

struct json_decoding {
    const struct node *fields;
    const struct node *target; /* NULL: where it stands; empty: the root */
    int64_t depth;
    bool reads_arrays;
    bool overwrite;
    bool expands;
    bool adds_errors;
    struct span id; /* of a field that becomes @metadata._id; empty: none */
};

static void *make_json(struct processor_making *m)
{
    struct json_decoding *d = node_allocate(m->tree, sizeof *d);
    d->fields = processor_list(m, "fields");
    d->target = processor_option(m, "target");
    d->depth = processor_number(m, "max_depth", 1);
    d->reads_arrays = processor_flag(m, "process_array", false);
    d->overwrite = processor_flag(m, "overwrite_keys", false);
    d->expands = processor_flag(m, "expand_keys", false);
    d->adds_errors = processor_flag(m, "add_error_key", false);
    d->id = processor_text(m, "document_id", NULL);
    if (d->depth < 1) {
        condition_refuse(m->options, m->err, "decode_json_fields: max_depth is 1 or more");
        return NULL;
    }
    return d->fields != NULL ? d : NULL;
}

/* Whether a text may hold JSON that is worth a look. */
static bool is_structured(struct span text)
{
    while (text.size > 0 && *text.data <= ' ') {
        text = span_skip(text, 1);
    }
    while (text.size > 0 && text.data[text.size - 1] <= ' ') {
        text.size--;
    }
    uint8_t first = text.size > 1 ? *text.data : 0;
    uint8_t last = text.size > 1 ? text.data[text.size - 1] : 0;
    return (first == '{' && last == '}') || (first == '[' && last == ']');
}

/* Reads a text, and those within it that hold JSON themselves, `depth` deep. NULL: it is none, or a list
 * that is not to be looked into. */
static struct node *decode_text(const struct json_decoding *d, struct nodes *tree, struct span text,
                                int64_t depth)
{
    struct node *value = node_json_parse(tree, text);
    if (value == NULL || depth <= 1 || node_is_scalar(value)) {
        return value;
    }
    if (value->kind == NODE_LIST && !d->reads_arrays) {
        return NULL;
    }
    for (struct node *child = value->first; child != NULL; child = child->next) {
        bool may_be = child->kind == NODE_TEXT && is_structured(child->text);
        struct node *inner = may_be ? decode_text(d, tree, child->text, depth - 1) : NULL;
        if (inner != NULL) {
            child->kind = inner->kind;
            child->first = inner->first;
            child->last = inner->last;
        }
    }
    return value;
}

/* Names with dots become maps. */
static struct node *expand(struct nodes *tree, const struct node *map)
{
    struct node *to = node_new(tree, NODE_MAP, (struct span){0});
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        struct node *value = child->kind == NODE_MAP ? expand(tree, child) : node_clone(tree, child);
        struct node *known = node_find(to, child->name);
        if (known != NULL && known->kind == NODE_MAP && value->kind == NODE_MAP) {
            node_merge(known, value);
        } else {
            node_put(tree, to, child->name, value);
        }
    }
    return to;
}

/* Maps member by member; what is there stays, unless it is to be overwritten. */
static void merge(struct node *to, struct node *from, bool overwrite)
{
    for (struct node *child = from->first; child != NULL;) {
        struct node *next = child->next;
        struct node *known = node_member(to, child->name);
        if (known == NULL) {
            node_append(to, child);
        } else if (known->kind == NODE_MAP && child->kind == NODE_MAP) {
            merge(known, child, overwrite);
        } else if (overwrite) {
            known->kind = child->kind;
            known->text = child->text;
            known->first = child->first;
            known->last = child->last;
        }
        child = next;
    }
}

/* The root's own fields are not anybody's: @timestamp and @metadata are left alone, `type` is a text. */
static void merge_into_root(const struct json_decoding *d, struct processor_event *e, struct node *map)
{
    const struct node *type = node_member(map, span_str("type"));
    (void)node_take(map, span_str("@timestamp"));
    (void)node_take(map, span_str("@metadata"));
    if (type != NULL && (type->kind != NODE_TEXT || type->text.size == 0 || *type->text.data == '_')) {
        (void)node_take(map, span_str("type"));
    }
    merge(e->root, map, d->overwrite);
}

static void complain_of_json(const struct json_decoding *d, struct processor_event *e, struct span field,
                             struct span text)
{
    e->has_failed = true;
    if (d->adds_errors) {
        processor_complain(e, "decode_json_fields", field, "is no JSON");
        processor_put_text(e, span_str("error.data"), text);
        processor_put_text(e, span_str("error.field"), field);
    }
}

static void take_id(const struct json_decoding *d, struct processor_event *e, struct node *value)
{
    const struct node *id = d->id.size > 0 && value->kind == NODE_MAP ? node_find(value, d->id) : NULL;
    if (id != NULL && id->kind == NODE_TEXT) {
        processor_put_text(e, span_str("@metadata._id"), id->text);
        (void)node_take(value, d->id);
    }
}

static void decode_field(const struct json_decoding *d, struct processor_event *e, struct span field)
{
    const struct node *node = processor_get(e, field);
    if (node == NULL || node->kind != NODE_TEXT) {
        return;
    }
    struct span text = node->text;
    struct node *value = decode_text(d, e->tree, text, d->depth);
    if (value == NULL) {
        complain_of_json(d, e, field, text);
        return;
    }
    take_id(d, e, value);
    bool is_root = d->target != NULL && d->target->text.size == 0;
    if (value->kind == NODE_MAP && d->expands && is_root) {
        value = expand(e->tree, value);
    }
    if (!is_root) {
        struct span to = d->target != NULL ? d->target->text : field;
        e->has_failed |= !node_put(e->tree, e->root, to, value);
    } else if (value->kind == NODE_MAP) {
        merge_into_root(d, e, value);
    } else {
        e->has_failed = true;
    }
}

static void decode_json(const void *state, struct processor_event *e)
{
    const struct json_decoding *d = state;
    for (const struct node *name = d->fields->first; name != NULL; name = name->next) {
        decode_field(d, e, name->text);
    }
}

/* ---- decode_base64_field ------------------------------------------------------------------------- */

struct field_decoding {
    struct span from;
    struct span to;
    bool ignore_missing;
    bool fail_on_error;
};

/* `field: {from: a, to: b}`. */
static void *make_from_to(struct processor_making *m, const char *processor)
{
    struct field_decoding *d = node_allocate(m->tree, sizeof *d);
    const struct node *field = processor_option(m, "field");
    struct node *from = node_member(field, span_str("from"));
    struct node *to = node_member(field, span_str("to"));
    d->ignore_missing = processor_flag(m, "ignore_missing", false);
    d->fail_on_error = processor_flag(m, "fail_on_error", true);
    if (from == NULL) {
        condition_refuse(m->options, m->err, "%s: field: {from: a, to: b}", processor);
        return NULL;
    }
    d->from = from->text;
    d->to = to != NULL && to->text.size > 0 ? to->text : from->text;
    return d;
}

static void *make_base64(struct processor_making *m)
{
    return make_from_to(m, "decode_base64_field");
}

static int sextet(uint8_t c)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != 0 ? strchr(letters, c) : NULL;
    return at != NULL ? (int)(at - letters) : -1;
}

/* RFC 4648 §4; padding may be missing. */
static bool from_base64(struct nodes *tree, struct span text, struct span *ret)
{
    uint8_t *to = node_allocate(tree, text.size + 1);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    while (text.size > 0 && text.data[text.size - 1] == '=') {
        text.size--;
    }
    for (size_t i = 0; i < text.size; i++) {
        int value = sextet(text.data[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            to[n++] = (uint8_t)(bits >> count);
        }
    }
    *ret = span_of(to, n);
    return true;
}

static void decode_base64(const void *state, struct processor_event *e)
{
    const struct field_decoding *d = state;
    struct node *node = processor_get(e, d->from);
    struct span text;
    if (node != NULL && node->kind == NODE_TEXT && from_base64(e->tree, node->text, &text)) {
        processor_put_text(e, d->to, text);
    } else if (d->fail_on_error && !(node == NULL && d->ignore_missing)) {
        processor_complain(e, "decode_base64_field", d->from,
                           node == NULL ? "is not there" : "is no base64");
    }
}

/* ---- decompress_gzip_field ----------------------------------------------------------------------- */

enum { GUNZIP_MAX = 1 << 20, GUNZIP_WINDOW = 15 + 32 /* gzip or zlib, told by its head */ };

static void *make_gunzip(struct processor_making *m)
{
    return make_from_to(m, "decompress_gzip_field");
}

/* No more than GUNZIP_MAX bytes: what is longer fails, as what is broken does. */
static bool gunzip(struct nodes *tree, struct span packed, struct span *ret)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.size};
    uint8_t *room = malloc(GUNZIP_MAX);
    if (room == NULL || inflateInit2(&z, GUNZIP_WINDOW) != Z_OK) {
        free(room);
        return false;
    }
    z.next_out = room;
    z.avail_out = GUNZIP_MAX;
    bool is_whole = inflate(&z, Z_FINISH) == Z_STREAM_END;
    *ret = is_whole ? node_copy(tree, span_of(room, z.total_out)) : (struct span){0};
    inflateEnd(&z);
    free(room);
    return is_whole;
}

static void decompress(const void *state, struct processor_event *e)
{
    const struct field_decoding *d = state;
    struct node *node = processor_get(e, d->from);
    struct span text;
    if (node != NULL && node->kind == NODE_TEXT && gunzip(e->tree, node->text, &text)) {
        processor_put_text(e, d->to, text);
    } else if (d->fail_on_error && !(node == NULL && d->ignore_missing)) {
        processor_complain(e, "decompress_gzip_field", d->from,
                           node == NULL ? "is not there" : "is no gzip");
    }
}

/* ---- urldecode ----------------------------------------------------------------------------------- */

static void *make_pairs(struct processor_making *m)
{
    struct processor_pairs *pairs = node_allocate(m->tree, sizeof *pairs);
    return processor_read_pairs(m, pairs) ? pairs : NULL;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False when an escape is none. */
static bool from_url(struct nodes *tree, struct span text, struct span *ret)
{
    uint8_t *to = node_allocate(tree, text.size + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '%') {
            to[n++] = text.data[i] == '+' ? ' ' : text.data[i];
            continue;
        }
        int high = i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
        int low = i + 2 < text.size ? hex_digit(text.data[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return false;
        }
        to[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *ret = span_of(to, n);
    return true;
}

static const char *decode_url(struct processor_event *e, const struct processor_pair *pair,
                              struct span *at)
{
    const struct node *node = processor_get(e, pair->from);
    struct span text;
    if (node == NULL || node->kind != NODE_TEXT) {
        return node == NULL ? processor_is_missing : "is no text";
    }
    if (!from_url(e->tree, node->text, &text)) {
        return "has a % that is no escape";
    }
    *at = pair->to;
    return processor_put_text(e, pair->to, text) ? NULL : "would be within a field that is no object";
}

static void urldecode(const void *state, struct processor_event *e)
{
    processor_run_pairs(state, e, "urldecode", decode_url);
}

/* ---- detect_mime_type ---------------------------------------------------------------------------- */

struct detecting {
    struct span field;
    struct span target;
};

static void *make_detect(struct processor_making *m)
{
    struct detecting *d = node_allocate(m->tree, sizeof *d);
    d->field = processor_text(m, "field", NULL);
    d->target = processor_text(m, "target", NULL);
    if (d->field.size == 0 || d->target.size == 0) {
        condition_refuse(m->options, m->err, "detect_mime_type needs 'field' and 'target'");
        return NULL;
    }
    return d;
}

/* What files of a kind begin with. */
struct magic {
    const char *magic;
    uint8_t size;
    const char *type;
};

static const struct magic magics[] = {
    {"\x89PNG\r\n\x1a\n", 8, "image/png"},
    {"\xff\xd8\xff", 3, "image/jpeg"},
    {"GIF8", 4, "image/gif"},
    {"%PDF-", 5, "application/pdf"},
    {"PK\x03\x04", 4, "application/zip"},
    {"\x1f\x8b", 2, "application/gzip"},
    {"BZh", 3, "application/x-bzip2"},
    {"7z\xbc\xaf\x27\x1c", 6, "application/x-7z-compressed"},
    {"\xfd" "7zXZ", 5, "application/x-xz"},
    {"\x7f" "ELF", 4, "application/x-executable"},
    {"MZ", 2, "application/vnd.microsoft.portable-executable"},
    {"OggS", 4, "audio/ogg"},
    {"ID3", 3, "audio/mpeg"},
    {"<?xml", 5, "text/xml; charset=utf-8"},
    {"<!DOCTYPE html", 14, "text/html; charset=utf-8"},
    {"<html", 5, "text/html; charset=utf-8"},
    {"{", 1, "application/json"},
    {"[", 1, "application/json"},
};

static const char *mime_of(struct span text)
{
    while (text.size > 0 && (*text.data == ' ' || *text.data == '\n' || *text.data == '\t' ||
                             *text.data == '\r')) {
        text = span_skip(text, 1);
    }
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (text.size >= magics[i].size && memcmp(text.data, magics[i].magic, magics[i].size) == 0) {
            return magics[i].type;
        }
    }
    for (size_t i = 0; i < text.size && i < 512; i++) {
        if (text.data[i] < 9) {
            return "application/octet-stream";
        }
    }
    return "text/plain; charset=utf-8";
}

static void detect(const void *state, struct processor_event *e)
{
    const struct detecting *d = state;
    struct node *node = processor_get(e, d->field);
    if (node != NULL && node->kind == NODE_TEXT && node->text.size > 0) {
        processor_put_text(e, d->target, span_str(mime_of(node->text)));
    }
}

const struct processor_kind processor_decode_kinds[] = {
    {"decode_json_fields", make_json, decode_json},
    {"decode_base64_field", make_base64, decode_base64},
    {"decompress_gzip_field", make_gunzip, decompress},
    {"urldecode", make_pairs, urldecode},
    {"detect_mime_type", make_detect, detect},
    {0},
};
