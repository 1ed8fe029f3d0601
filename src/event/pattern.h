// SPDX-License-Identifier: Apache-2.0
/* Texts with parts of an event in them, as Elastic's programs write them: %{[agent.version]} is the
 * value of a field, %{[field]:otherwise} with a default, %{+yyyy.MM.dd} the event's @timestamp.
 * For names of indices and topics, and for lines of one's own shape. Pure. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/node.h"

/* Whether the text has such parts at all. */
bool pattern_varies(const char *text);

/* Whether its parts are well formed. */
bool pattern_check(const char *text, struct err *err);

/* Appends the text with its parts filled in. False when a field without a default is missing; what
 * was appended by then is of no use. */
bool pattern_write(struct json *to, const char *text, const struct node *event);
