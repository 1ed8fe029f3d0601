// SPDX-License-Identifier: Apache-2.0
/* What is kept of a message until its counterpart comes: who, when, and the texts that its event
 * will show, in one slab block of just that size. */
#pragma once

#include "proto/mongodb/mongodb_event.h"
#include "proto/mongodb/mongodb_options.h"
#include "proto/proto_waiting.h"

enum mongodb_text {
    MONGODB_METHOD,
    MONGODB_RESOURCE,
    MONGODB_QUERY_TEXT,   /* without the data that is written */
    MONGODB_REQUEST_TEXT, /* with it */
    MONGODB_COLLECTION,
    MONGODB_FIND,
    MONGODB_FIELDS,
    MONGODB_SELECTOR,
    MONGODB_CHANGE,
    MONGODB_ERROR,
    MONGODB_RESPONSE_TEXT,
    MONGODB_TEXTS,
};

struct mongodb_record {
    struct waiter link;
    uint64_t bytes;
    uint64_t patience_ns; /* how long the client lets the server take, as it says */
    int64_t number[MONGODB_NUMBERS];
    int32_t id;
    int32_t response_to;
    uint32_t size; /* of the texts */
    uint8_t has;   /* a bit a number */
    bool is_response;
    bool wants_reply;
    bool more_to_come;
    bool has_failed;
    bool holed;  /* bytes of it were not captured */
    uint8_t cut; /* enum proto_cut: why a text of it is not whole */
    struct {
        uint32_t at;
        uint32_t size;
    } text[MONGODB_TEXTS];
    uint8_t bytes_of_texts[];
};

static inline struct span mongodb_text_of(const struct mongodb_record *r, enum mongodb_text which)
{
    return span_of(r->bytes_of_texts + r->text[which].at, r->text[which].size);
}

/* The record of a message, a slab block that the caller gives back; NULL without memory. Who and
 * when is for the caller to fill in. */
struct mongodb_record *mongodb_record_new(const struct proto_context *c,
                                          const struct mongodb_message *m);
