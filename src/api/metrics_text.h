// SPDX-License-Identifier: Apache-2.0
/* Prometheus' text, exposition format 0.0.4: the lines before a metric's samples, and values of labels. */
#pragma once

#include "base/json.h"

/* HELP and TYPE, once before the samples of a metric. The type is told by the name, as Prometheus has it:
 * what ends in _total is a counter, all else a gauge. */
void metrics_text_head(struct json *to, const char *name, const char *help);

/* A label's value, without its quotes. */
void metrics_text_value(struct json *to, const char *text);
