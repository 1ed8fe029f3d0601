// SPDX-License-Identifier: Apache-2.0
#include "engine/finish.h"

#include "base/pages.h"
#include "event/transaction.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LOG_BYTES = 8 << 20, /* of address space: what one call of a hook may report */
    TAPS = 64,           /* names that are told apart */
    TAP_NAME = 160,
};

struct finish {
    struct intake *intake;
    uint32_t flows;
    uint8_t *tap_of; /* by flow index: number of its tap plus one; 0: not known */
    uint8_t *log;
    uint8_t tap;     /* packets come from, likewise */
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
    finish->tap_of = pages_reserve((size_t)flows + 1);
    finish->log = pages_reserve(LOG_BYTES);
    if (finish->tap_of == NULL || finish->log == NULL) {
        finish_free(finish);
        return NULL;
    }
    return finish;
}

void finish_free(struct finish *finish)
{
    if (finish != NULL) {
        pages_release(finish->tap_of, (size_t)finish->flows + 1);
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
    if (finish != NULL && finish->tap_of[index] != finish->tap) {
        finish->tap_of[index] = finish->tap;
    }
}

static const char *tap_of(const struct finish *finish, flow_index index)
{
    uint8_t number = finish->tap_of[index];
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
        .key = &flow->key, .time_ns = now_ns, .tap = tap_of(finish, index)};
    for (const struct event_head *head = event_log_first(log); head != NULL;
         head = event_log_next(log, head)) {
        const struct transaction *t = (const struct transaction *)head;
        finished.transaction = head;
        finished.client = flow->initiator ^ (t->request_side & 1U);
        intake_finish(finish->intake, &finished);
    }
}

void finish_connection(struct finish *finish, flow_index index, const struct flow *flow,
                       const struct health_record *record, uint64_t now_ns)
{
    struct intake_finished finished = {
        .connection = record,
        .key = &flow->key,
        .client = flow->initiator,
        .time_ns = now_ns,
        .tap = tap_of(finish, index),
    };
    intake_finish(finish->intake, &finished);
}
