// SPDX-License-Identifier: Apache-2.0
/* What the first bytes of a side are, if they are MySQL at all: a connection may be met at its
 * greeting, at a login within TLS, at a command, at a reply or amid rows, compressed or not. Pure; linear in the first
 * MYSQL_LOOK_MAX bytes. */
#pragma once

#include "base/span.h"

enum { MYSQL_LOOK_MAX = 2048 };

enum mysql_looks {
    MYSQL_LOOKS_UNSURE, /* too few bytes to tell */
    MYSQL_LOOKS_FOREIGN,
    MYSQL_LOOKS_GREETING, /* the server begins */
    MYSQL_LOOKS_LOGIN,    /* the client goes on within TLS; the greeting came before */
    MYSQL_LOOKS_COMMAND,
    MYSQL_LOOKS_REPLY,
    MYSQL_LOOKS_ROWS, /* packets of a server, amid which the bytes begin */
};

struct mysql_look {
    uint8_t what; /* enum mysql_looks */
    bool compressed;
    bool is_zstd; /* known to be, not zlib */
};

struct mysql_look mysql_look(struct span data);
/* Whether an answer of several packets begins at the first byte: a number of columns, then a packet 2,
 * whatever is in it. As soon as its header is there it is told, while mysql_look_at() is unsure, so that
 * it does not depend on how much more is. */
bool mysql_look_is_answer(struct span data);
/* Without the search for rows: what begins at the first byte. */
struct mysql_look mysql_look_at(struct span data);
