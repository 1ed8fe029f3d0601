// SPDX-License-Identifier: Apache-2.0
/* The door of event/: an event is a plain struct described by a table of fields; the table is all
 * that encoders, the store and the docs need. Events are made on the packet path by filling a
 * struct in a worker's ring, and encoded off it. Names are ECS paths ("source.ip"); a table lists
 * them sorted so that fields of one object stand together. Values that are zero or empty are
 * omitted unless the field says EVENT_ALWAYS. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum event_kind {
    EVENT_BOOL,     /* bool */
    EVENT_U8,
    EVENT_U16,
    EVENT_U32,
    EVENT_U64,
    EVENT_TIME,     /* uint64_t ns since 1970, written as RFC 3339 UTC with nanoseconds */
    EVENT_ADDRESS,  /* struct event_address */
    EVENT_MAC,      /* struct event_mac, written AA-BB-CC-DD-EE-FF (ECS) */
    EVENT_SPAN,     /* struct span: text, escaped, bytes that are not UTF-8 as U+FFFD */
    EVENT_TEXT,     /* const char *, a static string */
    EVENT_INLINE,   /* char[], terminated text inside the struct */
    EVENT_JSON,     /* const char *, a static piece of JSON written as it is */
    EVENT_U16_LIST, /* struct event_u16_list */
    EVENT_NUMBER,   /* double, to a thousandth; NAN: absent */
    EVENT_TRUTH,    /* uint8_t: 0 absent, 1 false, 2 true */
    EVENT_SPANS,    /* struct event_spans: a list of texts */
    EVENT_PAIRS,    /* struct event_pairs: an object of texts by name (headers) */
    EVENT_ITEMS,    /* struct event_items: a list of objects, each by the table `item` */
    EVENT_ADDRESSES, /* struct event_addresses: a list of addresses */
    EVENT_OPTIONAL, /* struct event_optional: a number whose 0 is written, too */
    EVENT_I64,
    EVENT_VALUE,    /* struct span: JSON that the protocol made, written as it is; never cut. Where it is
                     * an object or a list of such, `item` says of what fields: for those who want to know
                     * (event_plain.h writes it) */
};

enum event_flags {
    EVENT_ALWAYS = 1, /* written even when zero */
    EVENT_PLAIN_ONE = 2, /* EVENT_SPANS: a list of one is written as its text, without brackets */
    EVENT_EMPTY_TOO = 8, /* EVENT_SPAN: an empty text is written, too; none is where data is NULL */
    EVENT_EXTRA = 16, /* what other programs do not know: left out where events are to be theirs */
    EVENT_FIXED = 32, /* EVENT_TEXT, EVENT_JSON: mostly the same text; encoders may keep what they make
                       * of it */
    EVENT_ENDS = 64, /* of a transaction: all that a flow has in one direction show the same; encoders may
                      * keep what they make of it (event_ends.h) */
    EVENT_COPY = 4, /* shows the span or list of another field: same offset, packed there */
};

struct event_address {
    uint8_t version; /* 4, 6, or 0: absent */
    uint8_t bytes[16];
};

struct event_mac {
    bool present;
    uint8_t bytes[6];
};

struct event_u16_list {
    uint8_t count;
    uint16_t values[4];
};

struct event_optional {
    uint64_t value;
    bool present;
};

/* Lists of an event are borrowed until event_pack() copies them; count 0: absent. */
struct event_addresses {
    uint32_t count;
    const struct event_address *items;
};

struct event_spans {
    uint32_t count;
    const struct span *items;
};

struct event_pair {
    struct span name;
    struct span value;
    bool is_json; /* the value is a number or another piece of JSON, written as it is, never cut */
};

/* Names that come more than once are written once, with the list of their values; that costs a
 * comparison of each with each, so whoever fills it in bounds the count. */
struct event_pairs {
    uint32_t count;
    const struct event_pair *items;
};

struct event_items {
    uint32_t count;
    const void *items; /* structs of the size that the field's `item` type tells */
};

struct event_type;

struct event_field {
    const char *name; /* ECS path */
    enum event_kind kind;
    uint16_t offset; /* of the value in the event's struct */
    uint8_t flags;
    const char *help; /* one clause for the docs */
    const struct event_type *item; /* EVENT_ITEMS, EVENT_VALUE: what its structs are; they have no head */
};

/* A kind of event: its dataset and its table, constant. */
struct event_type {
    const char *dataset;              /* "flow" */
    const char *help;
    size_t size;                      /* of the struct, head included */
    const struct event_field *fields; /* sorted by name, ended by a NULL name */
    const struct event_field *common; /* NULL, or those it shares with other types, likewise */
};

/* Every event struct begins with this. The pair (order, suborder) sorts the events of all workers
 * into the one order that a single worker would have given. */
struct event_head {
    const struct event_type *type;
    uint64_t order;    /* packet time at which it was made, ns */
    uint64_t suborder; /* tie-break, e.g. the time or number of a flow's first packet */
};

struct json;

/* Appends one event as a nested JSON object (no newline). Any thread; the plan of a type is made at
 * its first event and kept, so types must live as long as the process. Whoever writes many has an
 * event_writer.h, which does the same in a fraction of the time. */
void event_json(struct json *to, const struct event_head *event);
/* The same without the fields that have any of `flags`. */
void event_json_without(struct json *to, const struct event_head *event, unsigned flags);

enum { EVENT_DEPTH_MAX = 8 /* names in a path */, EVENT_ITEMS_MAX = 4 /* lists within lists */ };

/* Walks all fields of a type, its own and its common ones, in the order of their names. */
struct event_walk {
    const struct event_field *own;
    const struct event_field *common; /* NULL: none */
};

struct event_walk event_walk_of(const struct event_type *type);
/* The next field; NULL at the end. */
const struct event_field *event_walk_next(struct event_walk *walk);

/* Copies an event with all that its spans and lists refer to into one piece of memory that refers
 * to itself only, so that it outlives the packet. Returns the bytes it takes, a multiple of 8; when
 * that is more than `room` (8-byte aligned memory at `to`, NULL with room 0 to ask), what was
 * written is of no use; SIZE_MAX without memory for the plan of a new type. Texts longer
 * than `text_max` bytes are cut, UTF-8 between two characters, and where it is 1024 at least they end
 * with " [...]" then.
 * The copy cannot be moved, but it can be packed again. */
size_t event_pack(void *to, size_t room, const struct event_head *event, size_t text_max);

/* Whether a type can be encoded and packed: names sorted by strcmp in both tables, none twice, none
 * both a value and an object, made of letters that JSON does not escape; kinds known; values
 * aligned and within the struct; spans and lists owned by one field each; types of items likewise.
 * For tests: event_json() and event_pack() take a table at its word. */
bool event_type_check(const struct event_type *type, struct err *err);
