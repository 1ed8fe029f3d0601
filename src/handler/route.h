// SPDX-License-Identifier: Apache-2.0
/* Routes: paths of URLs with what names one thing among many collapsed, so that requests for
 * different things of one kind count together. Pure. */
#pragma once

#include "base/span.h"

enum { ROUTE_ROOM = 96, ROUTE_DEPTH = 6 /* parts that are kept */ };

/* Writes the route of a path to `to`; its size.
 *  - A part becomes "{id}" that is a number, that is made of hexadecimal digits and hyphens with a digit
 *    among them and has eight or more, or that has 24 bytes or more with a digit among them.
 *  - Behind six parts comes "...", and nothing more.
 *  - What is behind '?', '#' or, in a part, ';' is left out; so is a slash at the end.
 *  - A path of more than 95 bytes is cut. */
size_t route_of(struct span path, char to[ROUTE_ROOM]);
