// SPDX-License-Identifier: Apache-2.0
/* Rows of texts as CSV (RFC 4180), in memory of the caller's. A field is quoted where it has to be;
 * line ends within it are written \n and \r, so that a row is a line. A field that does not fit is
 * left out, and `full` says so: the caller goes back to where the row began, with more room or without
 * it. No allocation; thread safe. */
#pragma once

#include "base/span.h"

struct csv {
    char *data;
    size_t size;
    size_t room;
    bool full; /* something did not fit */
};

/* Appends a field; a comma before it unless it is the first of its row. */
void csv_field(struct csv *csv, struct span text, bool is_first);
/* Ends the row with a line feed. */
void csv_end_row(struct csv *csv);
