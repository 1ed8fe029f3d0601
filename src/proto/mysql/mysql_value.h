// SPDX-License-Identifier: Apache-2.0
/* How MySQL writes values: integers and texts with a length before them, and the binary forms of
 * prepared statements, which become texts as people write them. Pure. */
#pragma once

#include "base/cursor.h"

enum mysql_type {
    MYSQL_DECIMAL, MYSQL_TINY, MYSQL_SHORT, MYSQL_LONG, MYSQL_FLOAT, MYSQL_DOUBLE, MYSQL_NULL,
    MYSQL_TIMESTAMP, MYSQL_LONGLONG, MYSQL_INT24, MYSQL_DATE, MYSQL_TIME, MYSQL_DATETIME,
    MYSQL_YEAR,
};

enum { MYSQL_UNSIGNED = 0x80, MYSQL_VALUE_ROOM = 48, MYSQL_NO_VALUE = 0xfb };

/* A value's type: its number, and whether it is unsigned. */
struct mysql_kind {
    uint8_t type;
    bool is_unsigned;
};

/* Little-endian integers of 1 to 8 bytes. */
uint64_t mysql_fixed(struct cursor *c, unsigned size);
/* A length-encoded integer; what is none makes the cursor bad. */
uint64_t mysql_number(struct cursor *c);
/* A text with its length before it. One whose end is not there is given as far as it is, and the
 * cursor is bad. */
struct span mysql_text(struct cursor *c);

/* A binary value as text, which is borrowed from the cursor's bytes or written to `room`. */
struct span mysql_value(struct cursor *c, struct mysql_kind kind, char room[MYSQL_VALUE_ROOM]);
