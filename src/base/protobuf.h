// SPDX-License-Identifier: Apache-2.0
/* A writer of Protocol Buffers' wire format (protobuf.dev, "Encoding") over a growing buffer: fields
 * with their numbers, nested messages and packed lists; what a field means is the caller's. Numbers
 * that are zero are written, too: proto3 readers take them, and fields that tell "given" from "not
 * given" need them.
 *
 * The buffer is a struct json for its memory alone; `failed` there says that memory ran out. A nested
 * message is written behind its tag and moved by the few bytes of its length when it ends, so a byte
 * costs as many moves as it is deep. Cold paths only. */
#pragma once

#include "base/json.h"

/* A varint alone, as packed lists have them. */
void protobuf_varint(struct json *to, uint64_t value);
/* The same of a number with a sign, small for small magnitudes (sint32, sint64). */
void protobuf_zigzag(struct json *to, int64_t value);
/* Eight bytes alone, little endian. */
void protobuf_eight(struct json *to, uint64_t value);

/* Fields: uint32, uint64, int64 that is not negative, bool, enum. */
void protobuf_u64(struct json *to, uint32_t field, uint64_t value);
/* sint32, sint64. */
void protobuf_signed(struct json *to, uint32_t field, int64_t value);
/* fixed64, sfixed64. */
void protobuf_fixed(struct json *to, uint32_t field, uint64_t value);
void protobuf_double(struct json *to, uint32_t field, double value);
void protobuf_bytes(struct json *to, uint32_t field, struct span value);
/* A string: bytes that are not UTF-8 become U+FFFD, for readers refuse a message that has others. */
void protobuf_text(struct json *to, uint32_t field, struct span value);

/* Begins a nested message or a packed list; what it returns is for protobuf_end(). */
size_t protobuf_begin(struct json *to, uint32_t field);
void protobuf_end(struct json *to, size_t mark);
