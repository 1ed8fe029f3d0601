// SPDX-License-Identifier: Apache-2.0
/* The columns and rows of a reply: which tables they are of, and, where the settings ask for it, their
 * text as CSV within max_rows and max_row_length. */
#pragma once

#include "proto/mysql/mysql_reply.h"

/* A set of rows begins. */
void mysql_rows_begin(struct mysql_reply *r);
/* A column's definition; false when it is none. */
bool mysql_rows_column(struct mysql_reply *r, struct span body);
/* All columns were had. */
void mysql_rows_end_header(struct mysql_reply *r);
/* A row. */
void mysql_rows_add(struct mysql_reply *r, const struct mysql_packet *packet);
