// SPDX-License-Identifier: Apache-2.0
/* Text that grows in the caller's memory up to a bound; what is beyond it is left out and `full` says
 * so. Everything that comes from the wire is written in printable ASCII. Packet path. */
#pragma once

#include <stdbool.h>

#include "base/span.h"

struct dns_text {
    char *data; /* borrowed */
    size_t size;
    size_t room;
    bool full;
};

static inline struct dns_text dns_text_of(char *data, size_t room)
{
    return (struct dns_text){.data = data, .room = room};
}

/* What was written since it had `from` bytes. */
static inline struct span dns_text_since(const struct dns_text *t, size_t from)
{
    return span_of(t->data + from, t->size - from);
}

static inline void dns_text_put(struct dns_text *t, struct span s)
{
    size_t left = t->room - t->size;
    size_t size = s.size < left ? s.size : left;
    t->full = t->full || s.size > left;
    if (size > 0) {
        memcpy(t->data + t->size, s.data, size);
        t->size += size;
    }
}

static inline void dns_text_str(struct dns_text *t, const char *s)
{
    dns_text_put(t, span_str(s));
}

static inline void dns_text_char(struct dns_text *t, char c)
{
    if (t->size < t->room) {
        t->data[t->size++] = c;
    } else {
        t->full = true;
    }
}

void dns_text_number(struct dns_text *t, uint32_t number);
/* Hexadecimal digits, upper case and lower case. */
void dns_text_hex(struct dns_text *t, struct span bytes);
void dns_text_low_hex(struct dns_text *t, struct span bytes);
void dns_text_base64(struct dns_text *t, struct span bytes);
/* RFC 4648 §7 without padding, as NSEC3 has it. */
void dns_text_base32hex(struct dns_text *t, struct span bytes);
/* As within quotes in a master file: \" \\ \DDD (RFC 1035 §5.1). */
void dns_text_escaped(struct dns_text *t, struct span bytes);
/* An IPv4 or IPv6 address of 4 or 16 bytes. */
void dns_text_address(struct dns_text *t, unsigned version, const uint8_t *bytes);
/* Text that is printable ASCII as a JSON string, quotes included. */
void dns_text_json(struct dns_text *t, struct span ascii);
