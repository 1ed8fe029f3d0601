// SPDX-License-Identifier: Apache-2.0
/* DNS messages as handlers want them: read once for all instances, with the name of the first
 * question and its last labels. Values; the reader is constant. */
#pragma once

#include "handler/handler.h"
#include "proto/dns/dns_message.h"

enum { DNS_READ_NAME = 256 }; /* bytes of a name that are counted */

struct dns_read {
    struct dns_message message;
    bool has_name;
    struct dns_name name; /* lower case */
    uint64_t name_hash;   /* 0: nobody asked yet; see dns_read_hash() */
    bool knows_edns;
    struct dns_edns edns;
};

extern const struct handler_reader dns_reader;

/* The name as text; empty where there is none, or it is the root's. */
struct span dns_read_name(const struct dns_read *dns);
/* Its hash, made once for all that ask; never 0. */
uint64_t dns_read_hash(struct dns_read *dns);
/* EDNS, which walks all records the first time. */
const struct dns_edns *dns_read_edns(struct dns_read *dns);

/* The last `count` labels with a dot before them if there are more; see dns_read_parts(). */
struct dns_parts {
    struct span two;
    struct span three; /* empty when there are not as many */
};
/* A name cut at two and at three labels behind a suffix of so many (1: "com"). Names of less than
 * five bytes stay whole. */
struct dns_parts dns_read_parts(const struct dns_read *dns, unsigned suffix);

/* Labels of the public suffix of a name ("co.uk": 2). Some lookups of a tree. */
unsigned dns_read_suffix(struct span name);

/* What a code is called by pktvisor; numbers in decimal. `room` has DNS_READ_WORD bytes. */
enum { DNS_READ_WORD = 16 };
struct span dns_read_rcode(unsigned rcode, char room[DNS_READ_WORD]);
struct span dns_read_type(unsigned type, char room[DNS_READ_WORD]);
struct span dns_read_number(unsigned number, char room[DNS_READ_WORD]);
/* Adds to a top-N of ports, as texts of DNS_READ_PORT bytes. */
enum { DNS_READ_PORT = 8 };
struct topn;
void dns_read_add_port(struct topn *top, unsigned port, uint64_t weight);
/* The number of such a word in any case, or of its digits; -1 when it is none. */
int dns_read_rcode_of(const char *word);
int dns_read_type_of(const char *word);
