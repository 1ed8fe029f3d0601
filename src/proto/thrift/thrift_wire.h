// SPDX-License-Identifier: Apache-2.0
/* Thrift's bytes (thrift.apache.org: thrift-binary-protocol.md, thrift-compact-protocol.md,
 * thrift-rpc.md): heads of messages, and a reader that goes past the struct behind one, in any
 * pieces, to find where the message ends. Pure; the reader's state is bounded, each byte is looked
 * at once. */
#pragma once

#include "base/cursor.h"
#include "proto/proto_guess.h"

enum thrift_kind { THRIFT_CALL = 1, THRIFT_REPLY = 2, THRIFT_EXCEPTION = 3, THRIFT_ONEWAY = 4 };

/* Types as the binary protocol numbers them; of the compact protocol they are translated. */
enum thrift_type {
    THRIFT_STOP = 0,
    THRIFT_BOOL = 2,
    THRIFT_BYTE = 3,
    THRIFT_DOUBLE = 4,
    THRIFT_I16 = 6,
    THRIFT_I32 = 8,
    THRIFT_I64 = 10,
    THRIFT_STRING = 11,
    THRIFT_STRUCT = 12,
    THRIFT_MAP = 13,
    THRIFT_SET = 14,
    THRIFT_LIST = 15,
    THRIFT_UUID = 16,
    THRIFT_TRUE = 32, /* compact: a field that is its value */
    THRIFT_FALSE = 33,
    THRIFT_NONE = 255,
};

enum { THRIFT_NAME_MAX = 128, THRIFT_FRAME_MAX = 64 << 20, THRIFT_DEPTH_MAX = 32 };

struct thrift_head {
    uint8_t kind; /* enum thrift_kind */
    bool is_compact;
    bool is_framed;
    uint32_t frame_size; /* of a frame, without its 4 bytes */
    int32_t sequence;
    struct span name;
    size_t size; /* of the head, the frame's length included */
};


/* Whether a message begins here: its head, and the type of the first field behind it. */
enum proto_guess thrift_look(struct span data, struct thrift_head *ret);

/* ---- Past a struct -------------------------------------------------------------------------- */

struct thrift_level {
    uint8_t kind;
    uint8_t types[2];
    uint32_t left; /* elements */
};

struct thrift_skipper {
    bool is_compact;
    uint8_t depth;
    uint64_t skip; /* bytes of a value */
    struct thrift_level levels[THRIFT_DEPTH_MAX];
};

/* Before the first field of a struct. */
void thrift_skip_begin(struct thrift_skipper *s, bool is_compact);

enum thrift_skip { THRIFT_SKIP_MORE, THRIFT_SKIP_DONE, THRIFT_SKIP_BAD };
/* Goes on with what is there; what is left when it wants more has to come again. */
enum thrift_skip thrift_skip(struct thrift_skipper *s, struct cursor *c);

/* ---- Pieces --------------------------------------------------------------------------------- */

/* An integer of 7 bits a byte; sets `bad` when there is none. */
uint64_t thrift_varint(struct cursor *c);
int64_t thrift_zigzag(uint64_t value);

struct thrift_field {
    uint8_t type; /* THRIFT_STOP: no more; THRIFT_NONE: broken */
    int16_t id;
};
/* The head of the field behind that of number `last`. */
struct thrift_field thrift_field_read(struct cursor *c, bool is_compact, int16_t last);

struct thrift_container {
    uint8_t types[2]; /* of a map's keys and values, else of the elements */
    uint32_t count;
};
/* The head of a list, set or map; sets `bad` when there is none. */
struct thrift_container thrift_container_read(struct cursor *c, bool is_compact, bool is_map);
