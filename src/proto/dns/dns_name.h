// SPDX-License-Identifier: Apache-2.0
/* Names as they lie in a message (RFC 1035 §3.1, §4.1.4), and as text. Part of dns_message.h, which says
 * what holds for all readers of messages. Most names are plain, that is made of letters, digits, - and _:
 * these are read and written 16 bytes at a time, over pointers as well, and their texts need no escapes
 * anywhere. */
#pragma once

#include "base/span.h"

enum {
    DNS_NAME_BYTES = 255,  /* of a name on the wire, expanded (RFC 1035 §2.3.4) */
    DNS_LABEL_MAX = 63,
    DNS_LABELS_MAX = 127,
    DNS_POINTER = 0xc0,    /* a label's length with these bits is half of a pointer */
    DNS_JUMPS_MAX = 126,   /* more pointers than labels are of no use to anybody */
    DNS_NAME_ROOM = 1020,  /* bytes that the text of any name fits in: each as \DDD */
    DNS_NAME_BEHIND = 32,
};

/* A name as text in the form of master files: labels with dots between, none at the end, "." for the
 * root; within labels one of <space> . \ " ' @ ; ( ) has a backslash before it, and what is no printable
 * ASCII is \DDD (RFC 1035 §5.1, RFC 4343 §2.1). So it is ASCII whatever was on the wire. */
struct dns_name {
    uint16_t size;
    uint8_t labels;
    bool is_plain; /* nothing in it but letters, digits, - _ and dots */
    uint16_t starts[DNS_LABELS_MAX]; /* where each label begins in the text */
    char text[DNS_NAME_ROOM + DNS_NAME_BEHIND]; /* and what may be read behind it, whatever that is */
};

static inline struct span dns_name_text(const struct dns_name *name)
{
    return span_of(name->text, name->size);
}

/* The last `count` labels of a name; the whole of it when it has fewer. */
struct span dns_name_tail(const struct dns_name *name, unsigned count);

/* Writes the text in lower case, terminated, at `to`, which has as many bytes as `text`. */
void dns_name_lower(const struct dns_name *name, char *to);

/* Expands the name at offset `at` of a message; returns the offset behind it as it lies there, 0 when it
 * is none. */
size_t dns_name_expand(struct span message, size_t at, bool lower, struct dns_name *ret);

/* The offset behind the name at `at` as it lies there; 0 when it is none. Does not follow pointers. */
size_t dns_name_skip(struct span bytes, size_t at);
