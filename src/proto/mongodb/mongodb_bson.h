// SPDX-License-Identifier: Apache-2.0
/* BSON (bsonspec.org 1.1) read in place and written as the JSON that Packetbeat shows: members
 * sorted by name where a document has few, ObjectIds, dates and decimals as texts, binary in
 * base64. What is cut off or broken ends there; nothing is read twice at one depth, and output ends
 * where its room does. Pure; any thread. */
#pragma once

#include "base/span.h"

enum bson_type {
    BSON_DOUBLE = 0x01,
    BSON_STRING = 0x02,
    BSON_DOCUMENT = 0x03,
    BSON_ARRAY = 0x04,
    BSON_BINARY = 0x05,
    BSON_UNDEFINED = 0x06,
    BSON_OBJECT_ID = 0x07,
    BSON_BOOL = 0x08,
    BSON_DATE = 0x09,
    BSON_NULL = 0x0a,
    BSON_REGEX = 0x0b,
    BSON_POINTER = 0x0c,
    BSON_CODE = 0x0d,
    BSON_SYMBOL = 0x0e,
    BSON_CODE_SCOPE = 0x0f,
    BSON_INT32 = 0x10,
    BSON_TIMESTAMP = 0x11,
    BSON_INT64 = 0x12,
    BSON_DECIMAL = 0x13,
    BSON_MAX_KEY = 0x7f,
    BSON_MIN_KEY = 0xff,
};

struct bson_element {
    uint8_t type;
    struct span name;
    struct span value; /* its bytes, with lengths and terminators */
};

/* A document's elements that are still to come. */
struct bson_walk {
    struct span rest;
    bool is_cut; /* the document goes on behind what is there, or is broken */
};

/* The bytes of the document at the beginning of `data`, as it says; 0 when it cannot be one. */
uint32_t bson_size(struct span data);
/* Opens the document at the beginning of `data`, of which the end may be missing. */
struct bson_walk bson_open(struct span data);
/* The next element; false at the end, or where it is cut. Of documents, texts, code and bytes that
 * are cut, what there is of them. */
bool bson_next(struct bson_walk *walk, struct bson_element *ret);

/* The element of that name; type 0 when there is none. */
struct bson_element bson_find(struct span document, const char *name);
/* The text of a string, symbol or code, or what there is of it. */
struct span bson_text(const struct bson_element *e);
/* A number as an integer: of 4 and 8 bytes, doubles cut, booleans; 0 for others. */
int64_t bson_integer(const struct bson_element *e);

/* Where text goes; what finds no room is left out, and `is_full` says so. */
struct bson_out {
    uint8_t *at;
    const uint8_t *end;
    bool is_full;
    bool is_cut; /* a document that was put goes on behind what is there, or is broken */
};

void bson_put(struct bson_out *to, struct span bytes);
void bson_put_text(struct bson_out *to, const char *text);
void bson_put_integer(struct bson_out *to, int64_t value);

/* Members of the outermost document that are left out, or whose values are hidden; ended by NULL,
 * or NULL for none. */
struct bson_style {
    const char *const *without;
    const char *const *secret;
};

/* A document as JSON without its last brace, so that members can follow; returns how many it has.
 */
unsigned bson_put_open(struct bson_out *to, struct span document, const struct bson_style *style);
void bson_put_document(struct bson_out *to, struct span document, const struct bson_style *style);
/* A value as JSON; a string without quotes if `is_plain`. */
void bson_put_value(struct bson_out *to, const struct bson_element *e, bool is_plain);
