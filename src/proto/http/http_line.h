// SPDX-License-Identifier: Apache-2.0
/* Single lines of HTTP/1.x: start lines, and where one may begin among bytes that are none. Pure;
 * private to http_message.c. */
#pragma once

#include "proto/http/http_message.h"

/* Reads a start line without its line feed into `head`: method and target, or status and phrase, and
 * the minor version; offsets are from the line's begin. False when it is none that `role` sends. */
bool http_start_line(struct span line, enum http_role role, struct http_head *head);

/* Whether `data`, which may end anywhere, may be the beginning of a start line. */
bool http_start_plausible(struct span data, enum http_role role);

/* Where in a line a start line begins that ends where the line ends; -1: nowhere. */
ptrdiff_t http_start_find(struct span line, enum http_role role);
