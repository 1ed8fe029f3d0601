// SPDX-License-Identifier: Apache-2.0
/* Values of Thrift as the text that Packetbeat shows: (1: 5, name: "x") of a struct, [1, 2] of a
 * list, {1, 2} of a set, {"a": 1} of a map; texts that are no UTF-8 in hexadecimal. Long texts and
 * collections are cut as the options say. Pure; the work is linear in the bytes. */
#pragma once

#include "proto/thrift/thrift_idl.h"
#include "proto/thrift/thrift_wire.h"

struct thrift_limits {
    size_t text_max;       /* bytes of a text */
    uint32_t elements_max; /* of a collection, fields of a struct */
    uint32_t fields_max;   /* of a struct: beyond that the message is dropped */
    bool hides_texts;      /* as "*" */
};

struct thrift_writer {
    struct cursor from; /* behind the head of the message */
    bool is_compact;
    bool has_too_many; /* fields */
    bool is_full;      /* something did not fit */
    const struct thrift_limits *limits;
    uint8_t *at; /* where the text goes */
    const uint8_t *end;
    unsigned silent; /* values are gone past, not written */
    unsigned depth;
};

/* Writes text as far as there is room. */
void thrift_put(struct thrift_writer *w, struct span text);
/* Writes the struct that `from` stands at. */
void thrift_put_struct(struct thrift_writer *w, const struct thrift_struct_names *names);
/* Of a reply: the value that is returned, then (in another call, from its beginning) the
 * exceptions. */
void thrift_put_returned(struct thrift_writer *w, const struct thrift_struct_names *names);
void thrift_put_exceptions(struct thrift_writer *w, const struct thrift_struct_names *names);
