// SPDX-License-Identifier: Apache-2.0
/* One value of an event as JSON: kinds of bounded size are written into room that their caller has
 * made, all others go through the JSON writer, which makes its own. Pure; costs what it writes. */
#pragma once

#include "base/address.h"
#include "base/cursor.h"
#include "base/digits.h"
#include "base/json.h"
#include "event/event.h"

/* Bytes that a value of bounded size takes at most: a time in quotes is the longest but for an IPv6
 * address. */
enum { EVENT_VALUE_ROOM = ADDRESS_ROOM + 2 };

enum {
    EVENT_SECONDS = 16,
    EVENT_HOST_BITS = 7,
    EVENT_HOSTS = 1 << EVENT_HOST_BITS,
    EVENT_HOST_USUAL = 32, /* bytes that most addresses do with */
    EVENT_SECOND = sizeof "\"2026-11-20T23:58:49." - 1, /* a time as far as its fraction */
};

/* Seconds that were written before, as text: times of events that follow each other mostly differ in
 * their fraction only, but reports of flows tell of three seconds each, of when the flow began, when it
 * spoke last, and now. Zeroed at first. */
struct event_clock {
    struct {
        uint64_t second;
        char text[24]; /* "2026-11-20T23:58:49." with its quote; "" at first */
    } known[EVENT_SECONDS]; /* by the second */
};

/* Whether values of a kind may be of any size. */
bool event_value_is_large(enum event_kind kind);
/* Whether there is nothing to write. */
bool event_value_is_empty(enum event_kind kind, const void *at);

/* Makes the text of the second that a time is of, in its place of the clock. */
void event_clock_set(struct event_clock *clock, uint64_t second);

/* Writes a time (EVENT_TIME) and returns the end; `to` has EVENT_VALUE_ROOM bytes. */
static inline char *event_value_time(char *to, uint64_t nanoseconds, struct event_clock *clock)
{
    uint64_t second = nanoseconds / 1000000000;
    uint32_t rest = (uint32_t)(nanoseconds - second * 1000000000);
    __auto_type known = &clock->known[second % EVENT_SECONDS];
    if (second != known->second || known->text[0] == '\0') {
        event_clock_set(clock, second);
    }
    memcpy(to, known->text, sizeof known->text);
    to[EVENT_SECOND] = (char)('0' + rest / DIGITS_PIECE);
    to = digits_all(to + EVENT_SECOND + 1, rest % DIGITS_PIECE);
    memcpy(to, "Z\"", 2);
    return to + 2;
}

/* Addresses that were written before, as text: those of an event are written twice, and few ends have
 * many events. Zeroed at first. */
struct event_hosts {
    struct event_host {
        uint64_t bytes[2];
        uint8_t version; /* plus one; 0: none */
        uint8_t size;
        char text[ADDRESS_ROOM]; /* with its quotes */
    } known[EVENT_HOSTS]; /* by a hash of the bytes */
};

/* Makes the text of an address. */
void event_host_set(struct event_host *host, const struct event_address *address);

/* Writes an address, null where there is none, and returns the end; `to` has EVENT_VALUE_ROOM bytes. */
static inline char *event_value_host(char *to, const struct event_address *address,
                                     struct event_hosts *hosts)
{
    uint64_t low = load_le64(address->bytes), high = load_le64(address->bytes + 8);
    uint64_t hash = (low + (high << 1)) * 0x9e3779b97f4a7c15u;
    struct event_host *host = &hosts->known[hash >> (64 - EVENT_HOST_BITS)];
    if (host->bytes[0] != low || host->bytes[1] != high || host->version != address->version + 1) {
        event_host_set(host, address);
    }
    memcpy(to, host->text, EVENT_HOST_USUAL);
    if (host->size > EVENT_HOST_USUAL) {
        memcpy(to + EVENT_HOST_USUAL, host->text + EVENT_HOST_USUAL, ADDRESS_ROOM - EVENT_HOST_USUAL);
    }
    return to + host->size;
}

/* The same, of an address alone, and of a MAC. */
char *event_value_address(char *to, const struct event_address *address);
char *event_value_mac(char *to, const struct event_mac *mac);

/* Writes a value of another kind of bounded size and returns the end; `to` has EVENT_VALUE_ROOM bytes. */
char *event_value_write(char *to, enum event_kind kind, const void *at);
/* Appends a value of another kind, but EVENT_ITEMS; `flags` are its field's. */
void event_value_put(struct json *to, enum event_kind kind, const void *at, unsigned flags);
