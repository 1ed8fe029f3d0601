// SPDX-License-Identifier: Apache-2.0
/* Secrets that a capture holds for what is sealed in it (a Decryption Secrets Block,
 * draft-ietf-opsawg-pcapng §4.7), on their way to who keeps them: the text of key logs, as it comes, and
 * behind which packets it stood. Zeroes are an empty one. At most CAPTURE_SECRETS_MAX bytes wait; what is
 * beyond is left out. One thread. */
#pragma once

#include "base/span.h"

enum { CAPTURE_SECRETS_MAX = 64 << 20 };

struct capture_secrets {
    uint8_t *bytes; /* heads, each with its text behind it */
    size_t size;
    size_t room;
    size_t last; /* where the last head is */
    size_t at;   /* of the next one to be told */
    bool is_open; /* the last one goes on */
};

/* A text begins, behind packets of which the latest was of that time; 0: before all. False when there is
 * no room, and then what is added is left out. */
bool capture_secrets_begin(struct capture_secrets *secrets, uint64_t since_ns);
/* More of it, and its end. */
void capture_secrets_add(struct capture_secrets *secrets, struct span text);
void capture_secrets_end(struct capture_secrets *secrets);

/* The next text that is whole, borrowed until the next call of any other kind; false: there is none. */
bool capture_secrets_next(struct capture_secrets *secrets, struct span *text, uint64_t *since_ns);

/* All that `from` has goes to the end of `to`. */
void capture_secrets_move(struct capture_secrets *to, struct capture_secrets *from);

void capture_secrets_done(struct capture_secrets *secrets);
