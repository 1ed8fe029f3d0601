// SPDX-License-Identifier: Apache-2.0
/* What tests and fuzz targets of this folder share: the engine's side of a flow, played by hand. All
 * functions abort where the protocol breaks its contract. Test code; owns what it allocates. */
#pragma once

#include <stdlib.h>
#include <time.h>

#include "proto/dns/dns_event.h"
#include "proto/dns/dns_flow.h"
#include "proto/dns/dns_options.h"
#include "proto/proto_said.h"

extern const struct proto proto_dns;

enum { STAGE_BUDGET = 1 << 24, STAGE_LOG = 1 << 20, STAGE_TEXT_MAX = 4096 };

struct stage {
    struct dns_stats stats;
    struct dns_flow state;
    struct flow flow;
    struct dns_options options;
    struct slab *slab;
    struct event_log log;
    struct json said; /* events, a line each */
    struct proto_context context;
    struct json pending[2];
    bool let_go;
    /* What is not zeroed at first. */
    _Alignas(64) uint8_t memory[STAGE_LOG];
    uint8_t window[UINT16_MAX]; /* a datagram ends where it ends, and so does the stage */
};

static inline void stage_require(bool fine)
{
    if (!fine) {
        abort();
    }
}

static inline void stage_init(struct stage *s)
{
    memset(s, 0, offsetof(struct stage, memory));
    s->slab = slab_new(STAGE_BUDGET);
    s->options.settings = (struct proto_settings){
        .enabled = true, .report_unmatched = true, .transaction_timeout = INT64_C(10000000000)};
    s->flow.key.version = 4;
    s->log = (struct event_log){
        .memory = s->memory, .capacity = STAGE_LOG, .text_max = STAGE_TEXT_MAX};
    s->context = (struct proto_context){.block = &s->stats,
                                        .state = &s->state,
                                        .flow = &s->flow,
                                        .memory = s->slab,
                                        .events = &s->log,
                                        .settings = &s->options.settings};
    json_init(&s->said);
    json_init(&s->pending[0]);
    json_init(&s->pending[1]);
    stage_require(s->slab != NULL);
}

static inline void stage_complete(void *owner, struct event_head *event)
{
    (void)owner;
    transaction_finish((struct transaction *)event);
}

/* From here on events are encoded where they are made, as they are where nobody wants but their JSON. */
static inline void stage_take_lines(struct stage *s)
{
    s->log.writer = said_writer();
    s->log.complete = stage_complete;
}

/* An event that was made with stage_take_lines(): it is complete, and a line, or packed as it was too long. */
static inline void stage_say(struct json *said, const struct event_head *event)
{
    if (event->type == &event_line_type) {
        const struct event_line *line = (const struct event_line *)event;
        stage_require(json_check(line->text, line->size - 1));
        json_append(said, line->text, line->size);
    } else {
        event_writer_put(said_writer(), said, event);
        json_append(said, "\n", 1);
    }
}

/* As the engine does it after each call. */
static inline void stage_pass(struct stage *s)
{
    if (s->log.writer == NULL) {
        said_pass(&s->said, &s->log);
        return;
    }
    struct event_head *e = event_log_first(&s->log);
    for (; e != NULL; e = event_log_next(&s->log, e)) {
        stage_say(&s->said, e);
    }
    event_log_reset(&s->log);
}

/* Closes the flow and gives all back; what was said is terminated and stays with the caller. */
static inline char *stage_done(struct stage *s, enum proto_close why)
{
    proto_dns.on_close(&s->context, why);
    stage_pass(s);
    stage_require(slab_used(s->slab) == 0);
    slab_free(s->slab);
    json_done(&s->pending[0]);
    json_done(&s->pending[1]);
    json_append(&s->said, "", 1);
    return s->said.data;
}

/* A datagram; `wire` bytes of it were on the wire. */
static inline void stage_datagram(struct stage *s, unsigned side, struct span data, size_t wire,
                                  uint64_t now_ns)
{
    stage_require(data.size <= sizeof s->window);
    uint8_t *copy = s->window + sizeof s->window - data.size;
    memcpy(copy, data.data, data.size);
    struct packet p = {.time_ns = now_ns,
                       .class = PACKET_UDP,
                       .payload = copy,
                       .payload_len = (uint32_t)wire,
                       .end = copy + data.size};
    s->context.now_ns = now_ns;
    proto_dns.on_datagram(&s->context, &p, side);
    stage_pass(s);
}

/* Bytes of a connection; what is not consumed waits, as in the engine. */
static inline void stage_chunk(struct stage *s, unsigned side, struct span data, uint64_t now_ns)
{
    struct json *pending = &s->pending[side];
    json_append(pending, data.data, data.size);
    struct proto_chunk chunk = {.data = span_of(pending->data, pending->size),
                                .side = (uint8_t)side,
                                .time_ns = now_ns};
    s->context.now_ns = now_ns;
    struct proto_taken taken = proto_dns.on_chunk(&s->context, &chunk);
    stage_require(taken.consumed <= chunk.data.size);
    pending->size -= taken.consumed;
    memmove(pending->data, pending->data + taken.consumed, pending->size);
    s->let_go = s->let_go || taken.verdict == PROTO_NOT_MINE;
    stage_pass(s);
}

static inline void stage_gap(struct stage *s, unsigned side, uint32_t length)
{
    s->pending[side].size = 0;
    proto_dns.on_gap(&s->context, side, length);
    stage_pass(s);
}

/* Processor time of this thread in nanoseconds. */
static inline uint64_t stage_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}
