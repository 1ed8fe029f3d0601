// SPDX-License-Identifier: Apache-2.0
/* The file that secrets of TLS connections are read from, into a key log that the workers look into
 * (handshake/key_log.h). Opened at start, while the agent may open what it likes; live it is read on as
 * it grows, by the thread that works behind the packets. Cut short, it is read anew; where another file
 * has its name, the rest of the old one is read and then the new one, if the confined agent may open it.
 * Secrets that were read are kept. */
#pragma once

#include "base/err.h"
#include "engine/config.h"
#include "handshake/key_log.h"
#include "tap/tap.h"

enum { KEY_FILE_SECRETS = 1 << 17 /* that are kept; memory is touched as they come */ };

struct key_file; /* opaque */

/* The file that the option `key_log` of a protocol names; empty when none does. */
const char *key_file_path(const struct config *config);

/* Opens and reads a file; NULL and err when it cannot be read. `grows`: more may come. An empty path: no
 * file, for what key_file_take() brings. */
struct key_file *key_file_open(const char *path, bool grows, uint64_t seed, struct err *err);
void key_file_close(struct key_file *file);

/* Takes lines that come from elsewhere, known to packets later than `since_ns` (0: to all). One call at a
 * time. */
void key_file_take(struct key_file *file, struct span text, uint64_t since_ns);

/* Takes the secrets that a tap has read: after each of its next(), in the order of the capture. Without a
 * file they are let go. */
void key_file_take_from(struct key_file *file, const struct tap_kind *kind, struct tap *tap);

/* Reads what has come since; costs three system calls when nothing has. One thread. */
void key_file_poll(struct key_file *file);

/* What the workers look into; lives as long as the file. */
const struct key_log *key_file_log(const struct key_file *file);
