// SPDX-License-Identifier: Apache-2.0
#include "engine/finish.h"

#include "base/pages.h"
#include "base/seconds.h"
#include "event/transaction.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LOG_BYTES = 8 << 20, /* of address space: what one call of a hook may report */
    TAPS = 64,           /* names that are told apart */
    TAP_NAME = 160,
    PERIOD_S = 60, /* between two showings of a connection that goes on, counted from its begin: so
                    * they do not all come at once */
    TCP = 6,
};

/* Numbers of a connection's record that grow with it. */
#define WAY(member)                                                                                \
    offsetof(struct health_record, ways[0].member), offsetof(struct health_record, ways[1].member)
static const size_t growing[] = {
    offsetof(struct health_record, packets), offsetof(struct health_record, syn_pkts),
    offsetof(struct health_record, rst_pkts), offsetof(struct health_record, keepalives),
    offsetof(struct health_record, timeouts), offsetof(struct health_record, icmp_errors),
    WAY(data_pkts), WAY(data_bytes), WAY(not_captured_bytes), WAY(retrans_pkts),
    WAY(spurious_retrans_pkts), WAY(fast_retransmits), WAY(reordered_original_pkts),
    WAY(network_dup_pkts), WAY(lost_before_tap_pkts), WAY(lost_behind_tap_pkts),
    WAY(zero_window_pkts), WAY(window_full_pkts), WAY(ce_pkts), WAY(ece_acks),
};
enum { GROWING = sizeof growing / sizeof *growing };

/* What is kept of a flow. */
struct finish_flow {
    uint32_t marks;
    uint16_t shown; /* periods of its life after which it was shown last, low bits */
    uint8_t tap;    /* number of its tap plus one; 0: not known */
    bool was_shown;
};

/* What a connection that was shown had then: the numbers that grow. */
struct finish_past {
    double numbers[GROWING];
};

struct finish {
    struct intake *intake;
    uint32_t flows;
    struct finish_flow *of; /* by flow index */
    struct finish_past *past; /* by flow index; only of flows that were shown and go on */
    uint8_t *log;
    uint8_t tap;     /* packets come from: its number plus one */
    char taps[TAPS][TAP_NAME]; /* copies: taps come and go */
};

struct finish *finish_new(struct intake *intake, uint32_t flows)
{
    struct finish *finish = calloc(1, sizeof *finish);
    if (finish == NULL) {
        return NULL;
    }
    finish->intake = intake;
    finish->flows = flows;
    finish->of = pages_reserve(((size_t)flows + 1) * sizeof *finish->of);
    finish->past = pages_reserve(((size_t)flows + 1) * sizeof *finish->past);
    finish->log = pages_reserve(LOG_BYTES);
    if (finish->of == NULL || finish->past == NULL || finish->log == NULL) {
        finish_free(finish);
        return NULL;
    }
    return finish;
}

void finish_free(struct finish *finish)
{
    if (finish != NULL) {
        pages_release(finish->of, ((size_t)finish->flows + 1) * sizeof *finish->of);
        pages_release(finish->past, ((size_t)finish->flows + 1) * sizeof *finish->past);
        pages_release(finish->log, LOG_BYTES);
        free(finish);
    }
}

bool finish_wants(const struct finish *finish, enum intake_kind kind)
{
    return finish != NULL && intake_wants(finish->intake) & (uint32_t)kind;
}

/* ---- Taps ----------------------------------------------------------------------------------- */

void finish_select(struct finish *finish, const char *tap)
{
    finish->tap = 0;
    for (uint8_t i = 0; i < TAPS && tap != NULL; i++) {
        if (finish->taps[i][0] == '\0') {
            snprintf(finish->taps[i], TAP_NAME, "%s", tap);
        }
        if (strcmp(finish->taps[i], tap) == 0) {
            finish->tap = (uint8_t)(i + 1);
            return;
        }
    }
}

void finish_begin(struct finish *finish, flow_index index)
{
    if (finish != NULL) {
        finish->of[index] = (struct finish_flow){.tap = finish->tap};
    }
}

void finish_mark(struct finish *finish, flow_index index, uint32_t marks)
{
    finish->of[index].marks |= marks;
}

void finish_poll(struct finish *finish, uint32_t bound)
{
    uint32_t stale = finish != NULL ? intake_stale_marks(finish->intake) : 0;
    for (flow_index i = 0; i < bound && stale != 0; i++) {
        finish->of[i].marks &= ~stale;
    }
}

static const char *tap_of(const struct finish *finish, flow_index index)
{
    uint8_t number = finish->of[index].tap;
    return number > 0 ? finish->taps[number - 1] : NULL;
}

/* ---- Showing -------------------------------------------------------------------------------- */

void finish_open(struct finish *finish, struct outbox *outbox, struct event_log *log)
{
    if (outbox != NULL) {
        outbox_open(outbox, log);
        return;
    }
    bool wanted = finish_wants(finish, INTAKE_TRANSACTION);
    log->memory = wanted ? finish->log : NULL;
    log->capacity = wanted ? LOG_BYTES : 0;
    log->used = 0;
}

void finish_pass(struct outbox *outbox, struct event_log *log)
{
    if (outbox != NULL) {
        outbox_pass_log(outbox, log);
    } else {
        event_log_reset(log);
    }
}

void finish_transactions(struct finish *finish, flow_index index, const struct flow *flow,
                         struct event_log *log, uint64_t now_ns)
{
    if (!finish_wants(finish, INTAKE_TRANSACTION)) {
        return;
    }
    struct intake_finished finished = {
        .key = &flow->key,
        .time_ns = now_ns,
        .tap = tap_of(finish, index),
        .marks = finish->of[index].marks,
    };
    for (struct event_head *record = event_log_first(log); record != NULL;
         record = event_log_next(log, record)) {
        const struct event_head *head = event_log_whole(record);
        const struct transaction *t = (const struct transaction *)head;
        finished.transaction = head;
        finished.client = flow->initiator ^ (t->request_side & 1U);
        intake_finish(finish->intake, &finished);
    }
}

/* ---- Connections ---------------------------------------------------------------------------- */

static double *number_of(struct health_record *record, size_t which)
{
    return (double *)((uint8_t *)record + growing[which]);
}

/* Takes off what a connection had when it was shown last. What is not known stays unknown. */
static void take_off(struct health_record *gained, const struct finish_past *past)
{
    for (size_t i = 0; i < GROWING; i++) {
        double *number = number_of(gained, i);
        *number -= past->numbers[i] > 0 ? past->numbers[i] : 0;
    }
}

static void keep(struct finish_past *past, struct health_record *whole)
{
    for (size_t i = 0; i < GROWING; i++) {
        past->numbers[i] = *number_of(whole, i);
    }
}

static uint64_t age_of(const struct flow *flow, uint64_t second)
{
    uint64_t begun = flow->first_ns / SECOND_NS;
    return second > begun ? second - begun : 0;
}

uint64_t finish_look(const struct finish *finish, const struct flow *flow, uint64_t second)
{
    if (finish == NULL || flow->key.protocol != TCP || flow->key.version == 0 ||
        !intake_has_minutes(finish->intake)) {
        return UINT64_MAX;
    }
    return second + PERIOD_S - age_of(flow, second) % PERIOD_S;
}

bool finish_is_due(const struct finish *finish, flow_index index, const struct flow *flow,
                   uint64_t second)
{
    if (!finish_wants(finish, INTAKE_CONNECTION) || !intake_has_minutes(finish->intake)) {
        return false;
    }
    uint64_t periods = age_of(flow, second) / PERIOD_S;
    return periods > 0 && (uint16_t)periods != finish->of[index].shown;
}

void finish_connection(struct finish *finish, flow_index index, const struct flow *flow,
                       const struct health_record *record, uint64_t now_ns, bool goes_on)
{
    struct finish_flow *of = &finish->of[index];
    struct health_record gained = *record, whole = *record;
    if (of->was_shown) {
        take_off(&gained, &finish->past[index]);
    }
    struct intake_finished finished = {
        .connection = record,
        .key = &flow->key,
        .client = flow->initiator,
        .time_ns = now_ns,
        .tap = tap_of(finish, index),
        .marks = of->marks,
        .gained = &gained,
        .was_shown = of->was_shown,
        .goes_on = goes_on,
    };
    intake_finish(finish->intake, &finished);
    if (goes_on) {
        keep(&finish->past[index], &whole);
        of->was_shown = true;
        of->shown = (uint16_t)(age_of(flow, now_ns / SECOND_NS) / PERIOD_S);
    }
}
