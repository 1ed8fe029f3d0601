// SPDX-License-Identifier: Apache-2.0
/* Makes the event of a query and its response, by Packetbeat's rules of what it says. Text and records
 * are gathered in the worker's cache, or on the stack where there is none, so an event has a bound: what
 * finds no room in a list of records is counted as records_left_out, and `dns.answers_count` still tells
 * the truth. */
#pragma once

#include "proto/dns/dns_message.h"
#include "proto/proto.h"

enum {
    DNS_NOTES_MAX = 4,
    DNS_REPORT_ROOM = 80 << 10, /* bytes of the cache, whatever is in them */
};

/* What is known of an exchange. Both messages are borrowed; at least one is there. */
struct dns_exchange {
    const struct dns_message *query;
    const struct dns_message *response;
    uint64_t query_ns;
    uint64_t query_bytes;
    uint64_t response_ns;
    uint64_t response_bytes;
    uint32_t more_answers;   /* in further messages of a transfer */
    uint8_t request_side;
    bool is_multicast;       /* nobody need answer: what is alone is no error */
    bool is_unread;          /* no more than the header of the response could be read */
    const char *protocol;    /* NULL: dns */
    const char *reason;      /* why there is no response */
    unsigned notes_count;
    const char *notes[DNS_NOTES_MAX]; /* static text */
};

/* Adds a note; NULL is none. */
static inline void dns_exchange_note(struct dns_exchange *x, const char *note)
{
    if (note != NULL && x->notes_count < DNS_NOTES_MAX) {
        x->notes[x->notes_count++] = note;
    }
}

void dns_report(struct proto_context *c, const struct dns_exchange *x);
