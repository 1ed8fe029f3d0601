// SPDX-License-Identifier: Apache-2.0
/* What is kept of a method until it is reported: who, when, and what its event will show, in one
 * slab block; and, of a message, the beginning of its body in another, which grows as it comes. */
#pragma once

#include "proto/amqp/amqp_event.h"
#include "proto/amqp/amqp_options.h"
#include "proto/proto_cut.h"
#include "proto/proto_waiting.h"

struct amqp_record {
    struct waiter link;
    struct amqp_record *about; /* the method that this one answers, or refuses; owned */
    const struct amqp_method *method;
    uint64_t bytes;     /* of the method's frame */
    uint64_t body_size; /* of the message, as its header says */
    uint64_t body_left; /* still to come */
    uint8_t *body;      /* a slab block, or NULL */
    uint32_t body_kept;
    uint32_t body_most; /* bytes of it that are to be shown */
    uint64_t has; /* a bit a field */
    uint32_t size; /* of the texts */
    uint32_t room;
    uint32_t code; /* why it was closed or returned */
    uint16_t channel;
    bool is_open;    /* a message of which more comes */
    bool has_header; /* its content header came */
    bool no_wait;
    bool holed;     /* bytes of it were not captured */
    bool is_short;  /* there was no memory for all of its body that is to be shown */
    bool odd_table; /* a table of it could not be read */
    uint8_t cut;    /* enum proto_cut: why not all of its texts are there */
    struct {
        uint16_t at;
        uint16_t size;
    } text[AMQP_FIELDS];
    uint8_t bytes_of_texts[];
};

/* A method with its arguments, the frame's payload behind class and method; a slab block; NULL
 * without memory. Who and when is for the caller to fill in. */
struct amqp_record *amqp_record_new(const struct proto_context *c, const struct amqp_method *method,
                                    struct span arguments);
/* Says of a record that not all of its method, or content header, was read. */
void amqp_record_note_cut(struct amqp_record *r);
/* Adds what a content header says, behind its class and weight. Returns the record, which may have
 * moved; without memory it stays as it was. */
struct amqp_record *amqp_record_add_header(const struct proto_context *c, struct amqp_record *r,
                                           struct span header);
/* Keeps as much of a body as is to be shown, in a block of `most` bytes. */
void amqp_record_add_body(const struct proto_context *c, struct amqp_record *r, struct span bytes,
                          size_t most);
/* With all that it owns; NULL is fine. */
void amqp_record_free(struct slab *slab, struct amqp_record *r);

static inline bool amqp_record_has(const struct amqp_record *r, enum amqp_field field)
{
    return r->has >> field & 1;
}

static inline struct span amqp_text_of(const struct amqp_record *r, enum amqp_field field)
{
    return span_of(r->bytes_of_texts + r->text[field].at, r->text[field].size);
}
