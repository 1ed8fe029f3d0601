// SPDX-License-Identifier: Apache-2.0
/* Processors of hostile events: the first byte chooses a list that has all of them, the rest is an event
 * in JSON. What comes out is JSON again, and has its @timestamp if it had one. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/node_json.h"
#include "event/processor.h"

static const char *const lists[] = {
    "[{\"rename\":{\"fields\":[{\"from\":\"a\",\"to\":\"b.c\"},{\"from\":\"b\",\"to\":\"a.b\"}]}},"
    "{\"copy_fields\":{\"fields\":[{\"from\":\"b\",\"to\":\"b.b\"}],\"fail_on_error\":false}},"
    "{\"move_fields\":{\"from\":\"b\",\"to\":\"a.\"}},{\"move_fields\":{\"to\":\"c.\"}},"
    "{\"append\":{\"target_field\":\"a\",\"fields\":[\"a\",\"c\"],\"ignore_missing\":true}},"
    "{\"extract_array\":{\"field\":\"a\",\"mappings\":{\"a\":0,\"b\":1},\"overwrite_keys\":true}},"
    "{\"lowercase\":{\"fields\":[\"A.B\",\"C\"],\"values\":[\"c\"],\"fail_on_error\":false}},"
    "{\"drop_fields\":{\"fields\":[\"/^c.*[0-9]$/\",\"a.b\"]}},{\"add_tags\":{\"tags\":[\"t\"]}}]",
    "[{\"dissect\":{\"field\":\"a\",\"tokenizer\":\"%{x->},%{+y/2} %{?k}=%{&k}%{z#2}%{+y/1|long}\"}},"
    "{\"dissect\":{\"field\":\"b\",\"tokenizer\":\"%{b} %{c|double}\",\"target_prefix\":\"\","
    "\"trim_values\":\"all\",\"overwrite_keys\":true}},"
    "{\"replace\":{\"fields\":[{\"field\":\"a\",\"pattern\":\"(x)|[^a]*\",\"replacement\":\"$1-$0\"}]}},"
    "{\"truncate_fields\":{\"fields\":[\"a\",\"b\"],\"max_characters\":3}}]",
    "[{\"decode_json_fields\":{\"fields\":[\"a\"],\"target\":\"\",\"max_depth\":3,\"expand_keys\":true,"
    "\"process_array\":true,\"overwrite_keys\":true,\"add_error_key\":true,\"document_id\":\"i\"}},"
    "{\"decode_json_fields\":{\"fields\":[\"b\"]}},"
    "{\"convert\":{\"fields\":[{\"from\":\"a\",\"to\":\"d\",\"type\":\"long\"},"
    "{\"from\":\"b\",\"type\":\"float\"}],\"fail_on_error\":false}},"
    "{\"urldecode\":{\"fields\":[{\"from\":\"a\",\"to\":\"e\"}],\"ignore_missing\":true}},"
    "{\"include_fields\":{\"fields\":[\"a.b\",\"a\",\"error\"],\"when\":{\"regexp\":{\"a\":\"^[x-z]+\"}}}}]",
};
enum { LISTS = sizeof lists / sizeof *lists };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct nodes tree = {0};
    struct err err = {0};
    struct json out;
    json_init(&out);
    const struct node *list = node_json_parse(&tree, span_str(lists[*data % LISTS]));
    struct processors *all = processors_new(list, NULL, NULL, &err);
    struct node *event = node_json_parse(&tree, span_of(data + 1, size - 1));
    bool is_map = event != NULL && event->kind == NODE_MAP;
    bool had_time = is_map && node_member(event, span_str("@timestamp")) != NULL;
    if (all == NULL) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    if (is_map && processors_run(all, &tree, event)) {
        node_json_write(&out, event);
        if (had_time && node_member(event, span_str("@timestamp")) == NULL) {
            abort();
        }
    }
    processors_free(all);
    json_done(&out);
    node_done(&tree);
    return 0;
}
