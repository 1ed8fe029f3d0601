// SPDX-License-Identifier: Apache-2.0
/* Records of a message as lists of JSON objects, as events show them. Lists stand one behind the other in
 * the caller's memory; what finds no room is left out, whole, and so is all that follows it. Packet path. */
#pragma once

#include "proto/dns/dns_message.h"
#include "proto/dns/dns_record.h"

enum {
    DNS_LIST_ROOM = 24 << 10, /* of all lists */
    DNS_LIST_RECORD = 12 << 10, /* no record takes more: it is written before it is measured */
};

struct dns_list {
    const struct dns_message *message;
    const struct dns_name *asked; /* the name that the message asks for; NULL: none, or unknown */
    char *data;                   /* DNS_LIST_ROOM + DNS_LIST_RECORD bytes, borrowed */
    size_t size;
    size_t start;                 /* of the list under way */
    size_t ends;                  /* bytes of lists' ends: these find room always */
    uint32_t left_out;            /* records */
    uint16_t class_mask;
};

/* Adds a record to the list under way. */
void dns_list_add(struct dns_list *list, const struct dns_record *record);
/* Ends the list under way; empty when it has no records. */
struct span dns_list_end(struct dns_list *list);
