// SPDX-License-Identifier: Apache-2.0
/* The network interfaces of this network namespace: what they are, what they have carried, and
 * which of them is busiest. Asked of the kernel anew each time; no privilege is needed.
 *
 * Memory: a list belongs to the caller. Any thread. */
#pragma once

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { INTERFACES_SAMPLE_MS = 500 };

struct interfaces_entry {
    char name[IF_NAMESIZE];
    unsigned index;
    uint16_t hardware; /* ARPHRD_ number of its link layer */
    bool is_up;        /* switched on */
    bool is_running;   /* and has a carrier */
    bool is_loopback;
    uint32_t speed_mbit; /* 0 if unknown */
    uint64_t rx_bytes, rx_packets, rx_dropped; /* since the interface was made */
    uint64_t tx_bytes, tx_packets;
    char addresses[256]; /* with spaces between; those that do not fit are left out */
};

struct interfaces {
    struct interfaces_entry *entries; /* by index */
    size_t count;
};

/* Reads the list; interfaces_done() gives it back. */
bool interfaces_read(struct interfaces *ret, struct err *err);

void interfaces_done(struct interfaces *list);

/* The entry of that name, or NULL. */
const struct interfaces_entry *interfaces_find(const struct interfaces *list, const char *name);

/* A word for the link layer: "ethernet", "loopback", "wifi monitor", "ppp", "tunnel". */
const char *interfaces_kind(uint16_t hardware);

/* Whether the interface joins received segments before anybody sees them (GRO, LRO); false where that
 * cannot be told. */
bool interfaces_joins(const char *name);

/* Chooses the interface for `auto`: the one that carried most within INTERFACES_SAMPLE_MS, the
 * loopback only when no other is up. `why`, of `why_size` bytes, gets a sentence that says which
 * and why. Sleeps while it samples. */
bool interfaces_choose(char name[IF_NAMESIZE], char *why, size_t why_size, struct err *err);

/* Fills err with the complaint that there is no interface of that name, and the nearest one. */
bool interfaces_complain_missing(const char *name, struct err *err);

/* Sum of rx_dropped of the named interface, of all if `name` is NULL; 0 if it is gone. Cheap
 * enough for once a second. */
uint64_t interfaces_dropped(const char *name);
