// SPDX-License-Identifier: Apache-2.0
#include "sink/elastic_bulk.h"

#include <stdio.h>

#include "base/node_json.h"
#include "event/pattern.h"

/* A member whose value is a text with parts of the event in it. */
static bool put_pattern(struct json *to, const char *name, const char *pattern,
                        const struct node *event, struct nodes *scratch)
{
    struct json text;
    json_init(&text);
    bool is_good = pattern_write(&text, pattern, event);
    if (is_good) {
        struct span copy = node_copy(scratch, span_of(text.data, text.size));
        json_key(to, name);
        json_span(to, copy);
    }
    json_done(&text);
    return is_good;
}

static void put_text(struct json *to, const char *name, const struct node *metadata,
                     const char *member)
{
    const struct node *node = node_member(metadata, span_str(member));
    if (node != NULL && node_is_scalar(node)) {
        json_key(to, name);
        json_span(to, node->text);
    }
}

static bool put_action(struct json *body, const struct node *event, const struct node *metadata,
                       const struct elastic_bulk_target *target, struct nodes *scratch)
{
    bool has_index = node_member(metadata, span_str("raw_index")) != NULL;
    bool has_pipeline = node_member(metadata, span_str("pipeline")) != NULL;
    bool wants_pipeline = target->pipeline != NULL && target->pipeline[0] != '\0';
    bool is_good = true;
    body->comma = false;
    json_object_begin(body);
    json_key(body, "create");
    json_object_begin(body);
    if (has_index) {
        put_text(body, "_index", metadata, "raw_index");
    } else {
        is_good = put_pattern(body, "_index", target->index, event, scratch);
    }
    put_text(body, "_id", metadata, "_id");
    if (has_pipeline) {
        put_text(body, "pipeline", metadata, "pipeline");
    } else if (wants_pipeline) {
        is_good = is_good && put_pattern(body, "pipeline", target->pipeline, event, scratch);
    }
    json_object_end(body);
    json_object_end(body);
    json_append(body, "\n", 1);
    return is_good;
}

bool elastic_bulk_add(struct json *body, struct span line, const struct elastic_bulk_target *target,
                      struct nodes *scratch)
{
    size_t start = body->size;
    node_reset(scratch);
    struct node *event = node_json_parse(scratch, line);
    if (event == NULL || event->kind != NODE_MAP) {
        return false;
    }
    struct node *metadata = node_take(event, span_str("@metadata"));
    if (!put_action(body, event, metadata, target, scratch)) {
        body->size = start;
        return false;
    }
    node_json_write(body, event);
    json_append(body, "\n", 1);
    return true;
}

/* ---- Answers ------------------------------------------------------------------------------------ */

static enum elastic_verdict verdict_of(const struct node *result)
{
    const struct node *status = node_member(result, span_str("status"));
    unsigned number = 0;
    for (size_t i = 0; status != NULL && i < status->text.size && i < 3; i++) {
        number = number * 10 + status->text.data[i] - '0';
    }
    if ((number >= 200 && number < 300) || number == 409) { /* 409: it is there already */
        return ELASTIC_TAKEN;
    }
    return number == 429 || number >= 500 ? ELASTIC_AGAIN : ELASTIC_REFUSED;
}

static void keep_reason(const struct node *result, char *why, size_t why_size)
{
    const struct node *type = node_find(result, span_str("error.type"));
    const struct node *reason = node_find(result, span_str("error.reason"));
    if (why[0] == '\0' && reason != NULL) {
        snprintf(why, why_size, "%.*s: %.*s", type != NULL ? (int)type->text.size : 0,
                 type != NULL ? (const char *)type->text.data : "", (int)reason->text.size,
                 (const char *)reason->text.data);
    }
}

int elastic_bulk_answer(struct span answer, enum elastic_verdict *ret, uint32_t most,
                        struct nodes *scratch, char *why, size_t why_size)
{
    node_reset(scratch);
    why[0] = '\0';
    const struct node *root = node_json_parse(scratch, answer);
    const struct node *items = root != NULL ? node_member(root, span_str("items")) : NULL;
    if (items == NULL || items->kind != NODE_LIST) {
        return -1;
    }
    int count = 0;
    for (const struct node *item = items->first; item != NULL && (uint32_t)count < most;
         item = item->next) {
        const struct node *result = item->first; /* {"create": {…}} */
        ret[count] = result != NULL ? verdict_of(result) : ELASTIC_REFUSED;
        if (ret[count] != ELASTIC_TAKEN && result != NULL) {
            keep_reason(result, why, why_size);
        }
        count++;
    }
    return count;
}
