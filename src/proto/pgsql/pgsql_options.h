// SPDX-License-Identifier: Apache-2.0
/* What users may choose about PostgreSQL; the rows are in pgsql_event.c. */
#pragma once

#include "proto/proto_option.h"

struct pgsql_options {
    struct proto_settings common;
    int64_t max_rows;       /* of a response's text */
    int64_t max_row_length; /* bytes of values in a row of it */
    int64_t max_message_size; /* bytes of a statement, and of a response's text */
    bool redact_secrets;    /* passwords in statements are not shown */
    bool all_statements;    /* SET in the extended protocol is an event, too */
};
