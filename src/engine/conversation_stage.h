// SPDX-License-Identifier: Apache-2.0
/* A stage for tests of conversations: a protocol of lines, made up here, and a flow that says what a test
 * wants. "HI" begins the protocol, each line that is whole makes an event, and "bye" says that the rest is
 * something else. What its hooks are told is written down. */
#pragma once

#include "engine/conversation.h"

#include "event/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FLOWS = 16, CAPACITY = 4, RECORD = 4096, FIRST = 1000 };

struct lines_stats {
    uint64_t lines;
};

struct lines_state {
    uint64_t lines;
    void *held; /* proves that on_close is called: leaked blocks are seen in slab_used() */
};

/* What the hooks were told; the protocol owns nothing, so the test's block points to it. */
struct record {
    char text[RECORD];
};

struct lines_block {
    struct lines_stats stats;
    struct record *record;
};

static const struct event_type line_type = {
    .dataset = "lines.line", .help = "A line", .size = sizeof(struct transaction),
    .fields = transaction_fields,
};

static inline struct record *record_of(const struct proto_context *c)
{
    return ((struct lines_block *)c->block)->record;
}

static inline void note(const struct proto_context *c, const char *what, unsigned side)
{
    char *to = record_of(c)->text;
    size_t used = strlen(to);
    snprintf(to + used, RECORD - used, "%u%s ", side, what);
}

static inline enum proto_guess lines_probe(struct span data, unsigned side)
{
    (void)side;
    if (data.size < 2) { /* an empty line tells nothing */
        return data.size == 0 || strchr("H\n", data.data[0]) != NULL ? PROTO_UNSURE : PROTO_NO;
    }
    return memcmp(data.data, "HI", 2) == 0 ? PROTO_YES : PROTO_NO;
}

static inline void log_line(struct proto_context *c, const struct proto_chunk *chunk, struct span line)
{
    struct transaction t = {.head = {.type = &line_type}, .start_ns = chunk->time_ns,
                            .request_side = chunk->side, .query = line};
    assert_true(event_log_add(c->events, &t.head));
}

static inline struct proto_taken lines_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct proto_taken taken = {0};
    struct lines_state *state = c->state;
    struct span left = chunk->data;
    const uint8_t *end;
    while (left.size > 0 && (end = memchr(left.data, '\n', left.size)) != NULL) {
        char text[64] = {0};
        struct span line = span_of(left.data, (size_t)(end - left.data));
        memcpy(text, line.data, line.size < 63 ? line.size : 63);
        note(c, text, chunk->side);
        log_line(c, chunk, line);
        taken.consumed += line.size + 1;
        left = span_skip(left, line.size + 1);
        state->lines++;
        ((struct lines_block *)c->block)->stats.lines++;
        if (state->held == NULL) {
            state->held = slab_take(c->memory, 100);
        }
        if (strcmp(text, "turn") == 0) {
            taken.verdict = PROTO_SWITCHED;
            break;
        }
        if (strcmp(text, "bye") == 0) {
            taken.verdict = PROTO_NOT_MINE;
            break;
        }
    }
    return taken;
}

static inline void lines_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    char text[32];
    snprintf(text, sizeof text, "gap%u", length);
    note(c, text, side);
}

static inline void lines_on_fin(struct proto_context *c, unsigned side)
{
    note(c, "fin", side);
}

static inline void lines_on_close(struct proto_context *c, enum proto_close why)
{
    static const char *const names[] = {"closed", "reset", "timeout"};
    slab_give(c->memory, ((struct lines_state *)c->state)->held);
    note(c, names[why], 9);
}

static inline void lines_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    (void)packet;
    note(c, "datagram", side);
}

static const struct metric no_metrics[] = {{0}};
static const struct metric_set lines_set = {
    .name = "lines", .metrics = no_metrics, .size = sizeof(struct lines_block)};
static const struct proto lines = {
    .name = "lines", .metrics = &lines_set, .flow_size = sizeof(struct lines_state),
    .probe = lines_probe, .on_chunk = lines_on_chunk, .on_gap = lines_on_gap,
    .on_fin = lines_on_fin, .on_close = lines_on_close, .on_datagram = lines_on_datagram,
};
static const struct proto_settings settings = {.enabled = true};
static const struct listeners listeners = {
    .count = 1, .has_tcp = true, .has_udp = true,
    .reads_tcp = 1, .reads_datagrams = 1, .reads_anywhere = 1,
    .items = {{.proto = &lines, .settings = &settings}}};

/* ---- The lab -------------------------------------------------------------------------------- */

struct lab {
    struct output *output;
    struct conversations *all;
    struct conversation_moment moment;
    struct lines_block block;
    struct record record;
    struct flow flows[FLOWS];
    uint32_t next[2]; /* sequence numbers of flow 1 */
};

static const struct config no_sinks;
static const struct flow_cold fifth = {.order = 5};

static inline int stage_set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct err err = {0};
    struct output_options output = {.config = &no_sinks, .workers = 1, .mode = OUTBOX_DROP};
    lab->output = output_new(&output, &err);
    assert_non_null(lab->output);
    struct conversation_options options = {
        .listeners = &listeners, .outbox = output_outbox(lab->output, 0),
        .capacity = CAPACITY, .memory = 4 << 20, .wants_events = true, .text_max = 64};
    lab->all = conversations_new(&options, &err);
    assert_non_null(lab->all);
    lab->block.record = &lab->record;
    lab->moment = (struct conversation_moment){
        .blocks = (uint8_t *)&lab->block, .order = 77, .cold = &fifth, .now_ns = 1};
    for (unsigned i = 0; i < FLOWS; i++) {
        lab->flows[i].key = (struct flow_key){.address = {{10, 0, 0, 1}, {10, 0, 0, 2}},
                                              .port = {5000, 80}, .protocol = 6, .version = 4};
    }
    lab->next[0] = lab->next[1] = FIRST;
    *state = lab;
    return 0;
}

static inline int stage_tear_down(void **state)
{
    struct lab *lab = *state;
    conversations_free(lab->all);
    output_free(lab->output);
    free(lab);
    return 0;
}

/* A segment that acknowledges all that the other side of flow 1 has said. */
static inline void segment(struct lab *lab, flow_index index, unsigned side, const char *text,
                    uint8_t flags)
{
    size_t size = strlen(text);
    uint8_t *bytes = malloc(size + 1); /* of its own, so that a borrowed byte is found out */
    memcpy(bytes, text, size + 1);
    struct packet p = {
        .class = PACKET_TCP, .protocol = 6, .version = 4, .l4 = bytes, .payload = bytes,
        .end = bytes + size, .payload_len = (uint32_t)size, .seq = lab->next[side],
        .ack = lab->next[1 - side], .tcp_flags = (uint8_t)(TCP_ACK | flags), .frames = 1,
        .time_ns = lab->moment.now_ns,
    };
    conversation_packet(lab->all, &lab->moment, index, &lab->flows[index], &p, side);
    lab->next[side] += (uint32_t)size + (flags & TCP_FIN ? 1 : 0);
    free(bytes);
}

static inline void say(struct lab *lab, unsigned side, const char *text)
{
    segment(lab, 1, side, text, 0);
}

static inline void close_flow(struct lab *lab)
{
    conversation_close(lab->all, &lab->moment, 1, &lab->flows[1]);
}

/* The next event on its way out; false: none. */
static inline bool next_event(struct lab *lab, struct transaction *ret, char *query, size_t room)
{
    struct ring *ring = &output_outbox(lab->output, 0)->ring;
    size_t size;
    const struct transaction *t = ring_peek(ring, &size);
    if (t == NULL) {
        return false;
    }
    *ret = *t;
    snprintf(query, room, "%.*s", (int)t->query.size, (const char *)t->query.data);
    ring_release(ring);
    return true;
}
