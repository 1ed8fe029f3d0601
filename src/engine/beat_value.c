// SPDX-License-Identifier: Apache-2.0
#include "engine/beat_value.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

bool beat_refuse(struct beat_reading *r, const struct node *at, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char place[BEAT_PLACE];
    return err_set(r->err, ERR_FAILED, "%s%s", beat_source_place(&r->arguments->source, at, place),
                   text);
}

void beat_warn(struct beat_reading *r, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    config_list_add(r->config, r->warnings, text);
}

void beat_offer(struct beat_reading *r, const struct node *map, const char *path)
{
    struct beat_offer *offer = node_allocate(r->tree, sizeof *offer);
    *offer = (struct beat_offer){.next = r->offers, .map = map, .path = path};
    r->offers = offer;
}

struct node *beat_take(struct beat_reading *r, const struct node *map, const char *path)
{
    struct node *node = map != NULL ? node_find(map, span_str(path)) : NULL;
    if (node == NULL && map != NULL) {
        beat_offer(r, map, path);
    }
    if (node == NULL) {
        return NULL;
    }
    node->used = true;
    return node->kind != NODE_NULL ? node : NULL;
}

void beat_use_all(struct node *node)
{
    node->used = true;
    for (struct node *child = node->first; child != NULL; child = child->next) {
        beat_use_all(child);
    }
}

bool beat_flag(struct beat_reading *r, const struct node *map, const char *path, bool otherwise)
{
    const struct node *node = beat_take(r, map, path);
    if (node == NULL) {
        return otherwise;
    }
    if (!node_is(node, "true") && !node_is(node, "false")) {
        beat_refuse(r, node, "%s is true or false", path);
    }
    return node_is(node, "true");
}

const char *beat_text(struct beat_reading *r, const struct node *map, const char *path,
                      const char *otherwise)
{
    const struct node *node = beat_take(r, map, path);
    if (node == NULL) {
        return otherwise;
    }
    if (!node_is_scalar(node)) {
        beat_refuse(r, node, "%s is a single value", path);
        return otherwise;
    }
    return (const char *)node_copy(r->tree, node->text).data;
}

int64_t beat_number(struct beat_reading *r, const struct node *map, const char *path,
                    int64_t otherwise)
{
    int64_t number = otherwise;
    const char *text = beat_text(r, map, path, NULL);
    if (text != NULL && !text_parse_number(text, &number)) {
        beat_refuse(r, node_find(map, span_str(path)), "%s '%s' is not a whole number", path, text);
    }
    return number;
}

int64_t beat_number_within(struct beat_reading *r, const struct node *map, const char *path,
                           int64_t otherwise, int64_t least, int64_t most)
{
    int64_t number = beat_number(r, map, path, otherwise);
    if (r->err->code == ERR_NONE && (number < least || number > most)) {
        beat_refuse(r, node_find(map, span_str(path)), "%s %lld is not in %lld to %lld", path,
                    (long long)number, (long long)least, (long long)most);
    }
    return number;
}

const char *beat_word(struct beat_reading *r, const struct node *map, const char *path,
                      const char *const *words)
{
    const char *text = beat_text(r, map, path, words[0]);
    char list[256] = "";
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            return text;
        }
        size_t size = strlen(list);
        snprintf(list + size, sizeof list - size, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    beat_refuse(r, node_find(map, span_str(path)), "%s '%s' is none of %s", path, text, list);
    return words[0];
}

bool beat_is_map(struct beat_reading *r, const struct node *node, const char *what)
{
    bool is_map = node->kind == NODE_MAP || node->kind == NODE_NULL;
    return is_map || beat_refuse(r, node, "%s is a mapping of settings: begin each, indented, in a "
                                 "line of its own", what);
}

int64_t beat_duration(struct beat_reading *r, const struct node *map, const char *path,
                      int64_t otherwise)
{
    int64_t value = otherwise;
    const char *text = beat_text(r, map, path, NULL);
    if (text == NULL) {
        return otherwise;
    }
    if (text_parse_number(text, &value)) {
        return value * 1000000000;
    }
    if (!text_parse_duration(text, &value)) {
        beat_refuse(r, node_find(map, span_str(path)), "%s '%s' is not a duration such as 10s", path,
                    text);
    }
    return value;
}

struct text_list beat_list(struct beat_reading *r, const struct node *map, const char *path)
{
    struct text_list list = {0};
    struct node *node = beat_take(r, map, path);
    if (node == NULL) {
        return list;
    }
    if (node->kind == NODE_MAP) {
        beat_refuse(r, node, "%s is a list, such as [a, b]", path);
        return list;
    }
    if (node_is_scalar(node)) {
        config_list_add(r->config, &list, (const char *)node_copy(r->tree, node->text).data);
        return list;
    }
    beat_use_all(node);
    for (const struct node *item = node->first; item != NULL; item = item->next) {
        if (!node_is_scalar(item) || list.count == CONFIG_ITEMS_MAX) {
            beat_refuse(r, item, "%s is a list of single values, at most %d", path,
                        CONFIG_ITEMS_MAX);
            return list;
        }
        config_list_add(r->config, &list, (const char *)node_copy(r->tree, item->text).data);
    }
    return list;
}
