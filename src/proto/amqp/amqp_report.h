// SPDX-License-Identifier: Apache-2.0
/* Makes events of methods and messages. */
#pragma once

#include "proto/amqp/amqp_flow.h"

/* Reports a method with its answer, either of which may be NULL: a message that is delivered has no
 * request. `reason`: why there is no answer. */
void amqp_report(struct proto_context *c, const struct amqp_record *request,
                 const struct amqp_record *response, const char *reason);
