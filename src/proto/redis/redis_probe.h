// SPDX-License-Identifier: Apache-2.0
/* Whether first bytes are Redis: RESP is known by its form; a command without RESP, as people type it into
 * telnet or netcat, by its name. Pure. */
#pragma once

#include "base/span.h"
#include "proto/proto_guess.h"

enum {
    REDIS_NAME_LONGEST = 20,  /* of a command that is known */
    REDIS_PROBED_LINE = 1024, /* bytes of a command without RESP by which a connection is known */
};

/* Of a connection at any port: a line that begins like a command is one if the server answers in RESP, so
 * of the line alone this is not sure. */
enum proto_guess redis_probe(struct span data, unsigned side);
/* Of one at a port of Redis: there the line is enough. */
enum proto_guess redis_probe_at_port(struct span data, unsigned side);
