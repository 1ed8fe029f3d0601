// SPDX-License-Identifier: Apache-2.0
/* The data of a resource record in words: `data`, and for some types what stands beside it, by
 * Packetbeat's names. What has no form of its own, or does not keep to it, is written as RFC 3597 §5 has
 * it: \# size hex. Pure; the text goes into the caller's memory. */
#pragma once

#include "proto/dns/dns_message.h"
#include "proto/dns/dns_text.h"

enum {
    DNS_PARTS_MAX = 9,
    DNS_RECORD_ROOM = 4096, /* of text; longer data are cut */
};

struct dns_part {
    const char *key;
    struct span value; /* printable ASCII */
    bool is_number;
};

/* The parts of a record by key, `data` last. */
struct dns_parts {
    unsigned count;
    struct dns_part parts[DNS_PARTS_MAX];
};

/* Takes a record apart; `text` has DNS_RECORD_ROOM bytes and holds the values. */
void dns_record_parts(const struct dns_message *m, const struct dns_record *record,
                      struct dns_text *text, struct dns_parts *ret);
