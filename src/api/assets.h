// SPDX-License-Identifier: Apache-2.0
/* The files of the web page, which are part of the program (base/bundle.h). They change only with
 * it, so that a client that has one is told so instead of being sent it again. */
#pragma once

#include "api/exchange.h"
#include "base/bundle.h"

/* The file that a path of the server names ("/" is the page), or NULL. */
const struct bundle_file *assets_find(const char *path);

/* Replies with the file, or with 304 when the client has it. */
void assets_reply(struct exchange *x, const struct bundle_file *file);
