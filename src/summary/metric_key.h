// SPDX-License-Identifier: Apache-2.0
/* The keys of top-Ns as text. A key is bytes of a fixed size that say whose weight it is; of which
 * kind they are is said once, by the metric. No allocation; any thread. */
#pragma once

#include "base/span.h"

/* How the keys of a top-N are written for people. */
enum metric_key {
    METRIC_KEY_NONE,
    METRIC_KEY_ADDRESS, /* uint8_t version, then 16 bytes of address */
    METRIC_KEY_PAIR,    /* two METRIC_KEY_ADDRESS keys: initiator, responder */
    METRIC_KEY_PORT,    /* uint8_t IANA protocol, uint16_t port (host order, packed): "443/tcp" */
    METRIC_KEY_TEXT,    /* text, padded with zeros */
    METRIC_KEY_ESCAPED, /* printable ASCII with escapes of its own, likewise: a name of DNS (RFC 4343) */
    METRIC_KEY_PLACE,   /* the same in METRIC_PLACE_NAME bytes, then latitude and longitude */
};

enum {
    METRIC_PLACE_NAME = 112,
    METRIC_PLACE_COORDINATE = 12,
    METRIC_PLACE = METRIC_PLACE_NAME + 2 * METRIC_PLACE_COORDINATE,
};

enum { METRIC_KEY_ROOM = 1032 }; /* bytes that the text of any key fits in */

/* Writes a top-N key as text into `to` (terminated); `kind` says how to read it. An address,
 * "a > b" for a pair, "443/tcp" for a port. Text has control characters and bytes that are not
 * UTF-8 as \xNN and a backslash as \\, so that it is safe to print and no two keys look the
 * same. */
void metric_key_text(enum metric_key kind, struct span key, char *to, size_t size);

/* Latitude and longitude of a METRIC_KEY_PLACE, text that is lent; empty where there are none. */
struct span metric_key_latitude(struct span key);
struct span metric_key_longitude(struct span key);
