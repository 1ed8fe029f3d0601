// SPDX-License-Identifier: Apache-2.0
/* DER (X.690 §8, §10) read in place: one element at a time, its tag and a span of its contents. No
 * recursion, no allocation. What is not DER (indefinite lengths, tags of more than a byte, contents
 * that end behind their parent) sets the cursor's `bad`. */
#pragma once

#include "base/cursor.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,             /* [0], primitive; [n] is DER_CONTEXT + n */
    DER_CONTEXT_CONSTRUCTED = 0xa0, /* [0], with elements in it */
};

struct der {
    uint8_t tag;
    struct span value;
    struct span whole; /* tag and length, too */
};

/* The next element; false at the end, and when there is none (then c->bad). */
bool der_next(struct cursor *c, struct der *ret);
/* The contents of the next element, which has this tag; else c->bad and empty. */
struct span der_take(struct cursor *c, uint8_t tag);
/* Steps over the next element if it has this tag, and returns its contents; else empty, and nothing
 * moves. */
struct span der_optional(struct cursor *c, uint8_t tag);
