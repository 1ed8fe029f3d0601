// SPDX-License-Identifier: Apache-2.0
/* What can be told of an SQL text without knowing its dialect: what it begins with and where its
 * statements end. Quotes ('…', "…", `…`), dollar quotes and comments are known; that is enough to
 * find a `;` that ends something. Pure, linear in the text, hostile bytes welcome. */
#pragma once

#include "base/span.h"

enum { SQL_METHOD_MAX = 32 };

/* Without the white space at both ends. */
struct span sql_trim(struct span text);

/* The first word in upper case, written to `to`: "SELECT". Comments, `(` and `;` before it are passed
 * by; what MySQL runs of a comment counts as text. Of a word that is longer, its beginning; where there
 * is none, the first run of bytes that is not white. */
struct span sql_method(struct span text, char to[SQL_METHOD_MAX]);

/* Takes the first statement, trimmed, off `rest`, without the `;` that ends it. Statements with nothing
 * in them but comments are passed by. Empty when no more comes. */
struct span sql_next(struct span *rest);

/* Puts x in place of passwords, where the text is: of what stands behind a word that ends with PASSWORD
 * or PASSWD (`PASSWORD 'a'`, `MASTER_PASSWORD = 'a'`, `password('a')`, `SET PASSWORD FOR b = 'a'`) and behind
 * IDENTIFIED … BY, AS, USING and REPLACE; and within texts, of `password=a`. Five of them, fewer for what
 * is shorter. Returns how many bytes the text has then. Linear; a text that has none of these words costs
 * a look at each byte. */
size_t sql_hide(char *text, size_t size);
