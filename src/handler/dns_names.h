// SPDX-License-Identifier: Apache-2.0
/* The names of the messages at hand, with how many there were of each: a response has the name of its
 * query, and a few names make most of the traffic. What is costly (coupons, the heaviest names by their
 * last labels, suffixes) is done when a name leaves. Direct-mapped by a hash of 64 bits that is taken
 * for the name; zeroes are an empty one. One thread; a name that is there costs some 10 ns. */
#pragma once

#include "handler/dns_read.h"

enum { DNS_NAMES_SLOTS = 1024, DNS_NAMES_TEXT = 80, DNS_NAMES_NONE = 255 };

struct dns_names_entry {
    uint64_t hash;
    uint32_t count; /* 0: free */
    uint8_t side;   /* enum frame_direction, or what the user tells apart by */
    uint8_t size;
    uint8_t two, three; /* where the last labels begin (dns_read_parts()); 255: not there */
    char text[DNS_NAMES_TEXT];
};

struct dns_names {
    struct dns_names_entry entries[DNS_NAMES_SLOTS];
};

/* A name that leaves. */
struct dns_names_item {
    struct span name, two, three;
    uint32_t count;
    uint8_t side;
};
typedef void dns_names_leave(void *context, const struct dns_names_item *item);

/* How many labels the suffix of a name has. */
typedef unsigned dns_names_suffix(void *context, struct dns_read *dns);

struct dns_names_user {
    dns_names_leave *leave;
    dns_names_suffix *suffix;
    void *context;
};

/* Counts the name of a message that has one. */
void dns_names_add(struct dns_names *names, struct dns_read *dns, uint8_t side,
                   const struct dns_names_user *user);
/* Empties it. */
void dns_names_fold(struct dns_names *names, const struct dns_names_user *user);
