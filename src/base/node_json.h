// SPDX-License-Identifier: Apache-2.0
/* JSON to trees and back (RFC 8259). */
#pragma once

#include "base/json.h"
#include "base/node.h"

enum { NODE_JSON_DEPTH = 64 };

/* Reads exactly one value with white space around it. Texts without escapes are borrowed from
 * `json`, numbers are kept as they are written. NULL when it is no JSON, or more than NODE_JSON_DEPTH
 * lists and maps deep. Of a name that comes twice in a map the first is found. */
struct node *node_json_parse(struct nodes *tree, struct span json);

/* Appends a node as JSON, in one line, or over several, two spaces a level. */
void node_json_write(struct json *to, const struct node *node);
void node_json_pretty(struct json *to, const struct node *node);

/* Replaces what HTML would take for markup (<, >, &) by escapes, in finished JSON from byte `from`
 * on. */
void node_json_escape_html(struct json *to, size_t from);
