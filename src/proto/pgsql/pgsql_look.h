// SPDX-License-Identifier: Apache-2.0
/* What the first bytes of a side are, if they are PostgreSQL at all: a connection may be met at its
 * start, at a message of the client or the server, or amid rows. Pure; linear in the first
 * PGSQL_LOOK_MAX bytes. */
#pragma once

#include "base/span.h"

enum {
    PGSQL_LOOK_MAX = 2048,
    PGSQL_VERSION_3 = 3 << 16,
    PGSQL_CANCEL = 80877102,
    PGSQL_SSL = 80877103,
    PGSQL_GSS = 80877104,
};

enum pgsql_looks {
    PGSQL_LOOKS_UNSURE, /* too few bytes to tell */
    PGSQL_LOOKS_FOREIGN,
    PGSQL_LOOKS_START, /* the client begins */
    PGSQL_LOOKS_CLIENT,
    PGSQL_LOOKS_SERVER,
    PGSQL_LOOKS_ROWS, /* messages of a server, amid which the bytes begin */
};

enum pgsql_looks pgsql_look(struct span data);
/* Whether a message of the client, or the server, begins here: YES is their value above. */
enum pgsql_looks pgsql_look_at_client(struct span data);
enum pgsql_looks pgsql_look_at_server(struct span data);
/* The same, and those behind it that are there, a few of them, are messages of that side, too. */
enum pgsql_looks pgsql_look_at_chain(struct span data, bool by_client);
