// SPDX-License-Identifier: Apache-2.0
/* The terminal as a device: raw keys, the second screen, and the promise to give it back as it was, also
 * when the process is ended by a signal. Plain escape sequences that every terminal since the VT100
 * knows: there is no database to miss, and what restores the screen is one write(), which a handler of
 * signals may do. One screen a process. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/terminal.h"

/* Takes the terminal; false and an err when it is none. */
bool screen_open(struct err *err);
/* Gives it back. */
void screen_close(void);

/* Whether SIGINT, SIGTERM or SIGHUP came; whether the size changed since last asked, or the process was
 * stopped and goes on: all is to be drawn again. */
bool screen_is_ended(void);
bool screen_is_changed(void);

/* Writes all bytes to the terminal. */
void screen_write(const struct json *bytes);

/* The next key (enum view_key or a byte) that waits, or 0. Bytes of an escape sequence that nobody knows
 * are swallowed. The caller has seen that there is something to read. */
unsigned screen_key(void);
