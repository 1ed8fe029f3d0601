// SPDX-License-Identifier: Apache-2.0
/* For tests of processors: a list of them in JSON, an event in JSON, and what becomes of it. Whoever
 * includes it gives back `tree`'s memory in the end. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/node.h"
#include "base/node_json.h"
#include "event/processor.h"

static struct nodes tree; /* of the test at hand */

static struct node *parse(const char *json)
{
    struct node *node = node_json_parse(&tree, span_str(json));
    assert_non_null(node);
    return node;
}

/* A configuration in JSON, for which ' stands for ". */
static struct node *quoted(const char *text)
{
    struct span copy = node_copy(&tree, span_str(text));
    for (size_t i = 0; i < copy.size; i++) {
        char *at = (char *)(uintptr_t)copy.data + i;
        *at = *at == '\'' ? '"' : *at;
    }
    struct node *node = node_json_parse(&tree, copy);
    if (node == NULL) {
        fail_msg("no JSON: %s", text);
    }
    return node;
}

/* What becomes of an event, both with ' for "; "" when it is dropped. */
static void turns(const char *list, const char *event_text, const char *expected)
{
    struct err err = {0};
    struct node *host = parse("{\"name\":\"h\",\"ip\":[\"10.0.0.1\"]}");
    struct processor_facts facts = {.host = host, .zone_name = "CET", .zone_offset = "+01:00"};
    struct processors *all = processors_new(quoted(list), &facts, NULL, &err);
    if (all == NULL) {
        fail_msg("%s: %s", list, err.text);
    }
    struct node *event = quoted(event_text);
    struct json text;
    json_init(&text);
    if (processors_run(all, &tree, event)) {
        node_json_write(&text, event);
    }
    struct span wanted = node_copy(&tree, span_str(expected));
    for (size_t i = 0; i < wanted.size; i++) {
        char *at = (char *)(uintptr_t)wanted.data + i;
        *at = *at == '\'' && strchr(expected, '"') == NULL ? '"' : *at;
    }
    json_append(&text, "", 1);
    char *got = (char *)(uintptr_t)node_copy(&tree, span_str(text.data)).data;
    json_done(&text);
    processors_free(all);
    if (strcmp(got, (const char *)wanted.data) != 0) {
        fail_msg("%s of %s gives %s, not %s", list, event_text, got, (const char *)wanted.data);
    }
    node_reset(&tree);
}

/* Of an event that is always the same. */
static inline void becomes(const char *list, const char *expected)
{
    turns(list, "{'type':'t','a':{'b':'x1','n':7},'l':[1,2]}", expected);
}

#define LEFT "{\"type\":\"t\",\"a\":{\"b\":\"x1\",\"n\":7},\"l\":[1,2]"
