// SPDX-License-Identifier: Apache-2.0
/* A stream that is over, counted and as an event. */
#pragma once

#include "proto/http2/http2_flow.h"

/* `client`: the side of the flow that asks; `reason`: why there is no (whole) response, if there is none. */
void http2_report(struct proto_context *c, const struct http2_stream *stream, unsigned client,
                  const char *reason);

/* The class that a method is counted in, and its name. */
unsigned http2_method_class(struct span method);
const char *http2_method_class_name(unsigned i);
