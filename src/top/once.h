// SPDX-License-Identifier: Apache-2.0
/* A page as text, JSON or CSV: what `--once` prints. Pure: bytes go into a buffer. */
#pragma once

#include "base/json.h"
#include "top/page.h"

enum once_format { ONCE_TEXT, ONCE_JSON, ONCE_CSV };

/* Appends a page. As text it is laid out for `width` columns. As CSV a page with one table is that
 * table; another is table,name,… with a row for each figure and item. As JSON it is one object: page,
 * figures by name, tables by name, lists of objects with a member a column; numbers are exact. */
void once_write(const struct page *page, enum once_format format, unsigned width, bool unicode,
                struct json *to);
