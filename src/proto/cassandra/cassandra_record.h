// SPDX-License-Identifier: Apache-2.0
/* What is kept of a message until its counterpart comes: who, when, and what its event will show, in
 * one slab block of just that size. */
#pragma once

#include "proto/cassandra/cassandra_event.h"
#include "proto/cassandra/cassandra_frame.h"
#include "proto/cassandra/cassandra_options.h"
#include "proto/proto_cut.h"
#include "proto/proto_waiting.h"

struct cassandra_record {
    struct waiter link;
    struct cassandra_header header;
    uint32_t size; /* of the texts */
    bool holed;    /* bytes of it were not captured */
    uint8_t cut;   /* enum proto_cut: why its statement is not whole */
    uint64_t has[2]; /* a bit a field */
    struct {
        uint32_t at;
        uint32_t size;
    } text[CASSANDRA_FIELDS];
    uint8_t bytes_of_texts[];
};

/* The record of an envelope, of whose body at least the beginning is there, unpacked, and `cut`
 * says why no more; a slab block that the caller gives back; NULL without memory. When is for the
 * caller to fill in. */
struct cassandra_record *cassandra_record_new(const struct proto_context *c,
                                              struct cassandra_header header, struct span body,
                                              enum proto_cut cut);

static inline bool cassandra_has(const struct cassandra_record *r, unsigned field)
{
    return r->has[field / 64] >> field % 64 & 1;
}

static inline struct span cassandra_text_of(const struct cassandra_record *r, unsigned field)
{
    return span_of(r->bytes_of_texts + r->text[field].at, r->text[field].size);
}
