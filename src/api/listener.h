// SPDX-License-Identifier: Apache-2.0
/* From the text of api.listen to a listening socket. Cold path; each failure is one sentence that
 * names the address and what to do. */
#pragma once

#include "base/err.h"

enum { LISTENER_ADDRESS_MAX = 64 };

/* Opens a socket that listens on "ADDRESS:PORT" ("127.0.0.1:10853", "[::1]:0", "localhost:10853")
 * and writes where it listens in fact to `address`. The caller closes it. -1 and err on failure. */
int listener_open(const char *listen_text, char address[LISTENER_ADDRESS_MAX], struct err *err);

/* Splits "HOST:PORT", "[HOST]:PORT", "HOST" or "[HOST]" into the host without brackets and the
 * port, "" when there is none. False when the text is none of these or a part does not fit. */
bool listener_split(const char *text, char host[256], char port[8]);
