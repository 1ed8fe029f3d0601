// SPDX-License-Identifier: Apache-2.0
/* PostgreSQL's values as text: those that come so are, of binary ones those of the commonest types are
 * written out, others in hexadecimal. Pure. */
#pragma once

#include "base/cursor.h"

enum { PGSQL_VALUE_ROOM = 96 };

/* A value of `bytes` in binary form; `type` is its OID, 0 unknown. The text is borrowed from `bytes` or
 * written to `room`. */
struct span pgsql_value(struct span bytes, uint32_t type, char room[PGSQL_VALUE_ROOM]);

/* A text that a zero byte ends; without one the cursor is bad. */
struct span pgsql_text(struct cursor *c);
