// SPDX-License-Identifier: Apache-2.0
/* Packetbeat's keystore: a file of names and secrets, which its configuration refers to as ${NAME}. "v1",
 * then in base64 a salt of 64 bytes, a nonce of 12, and JSON ({"NAME": {"value": base64}}) under AES-256 in
 * GCM, whose key is PBKDF2 (HMAC-SHA-512, 10000 rounds) of an empty password: whoever may read the file
 * has the secrets. It is read and written as Packetbeat does, so that either program's will do for the
 * other. Cold path; secrets live in the tree. */
#pragma once

#include "base/err.h"
#include "base/node.h"

/* Reads all of it: a map of texts. An empty map where there is no such file; NULL and err when it is
 * none, or, where that is asked for, others than its owner may read it. */
struct node *beat_keystore_read(struct nodes *tree, const char *path, bool strict, struct err *err);

/* Writes it anew, for its owner only, in place of what is there. False and err when it cannot. */
bool beat_keystore_write(const char *path, const struct node *secrets, struct err *err);
