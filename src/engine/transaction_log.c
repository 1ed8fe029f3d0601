// SPDX-License-Identifier: Apache-2.0
#include "engine/transaction_log.h"

#include "event/event_writer.h"

static void complete(void *owner, struct event_head *event)
{
    struct transaction_log *log = owner;
    const struct transaction_moment *moment = &log->moment;
    struct transaction *t = (struct transaction *)event;
    transaction_ends(t, &moment->of, &log->ids);
    transaction_finish(t);
    event->order = moment->order;
    event->suborder = moment->of.cold != NULL ? moment->of.cold->order : 0;
}

bool transaction_log_init(struct transaction_log *log, const struct transaction_log_options *options)
{
    *log = (struct transaction_log){
        .events = {.text_max = options->text_max,
                   .slab = options->outbox != NULL ? options->slab : NULL,
                   .complete = complete,
                   .owner = log},
        .options = *options,
        .writer = options->wants_lines ? event_writer_new(0) : NULL,
    };
    if (options->outbox != NULL) {
        options->outbox->slab = options->slab;
    }
    return log->writer != NULL || !options->wants_lines;
}

void transaction_log_done(struct transaction_log *log)
{
    event_writer_free(log->writer);
    log->writer = NULL;
}

/* Policies look at transactions, so that they are packed then. */
void transaction_log_open(struct transaction_log *log, const struct transaction_moment *moment)
{
    struct finish *finish = log->options.finish;
    log->moment = *moment;
    log->events.writer = finish_wants(finish, INTAKE_TRANSACTION) ? NULL : log->writer;
    finish_open(finish, log->options.outbox, &log->events);
}

void transaction_log_pass(struct transaction_log *log)
{
    if (log->events.used > 0 || log->events.line_count > 0 || log->events.lost > 0) {
        const struct transaction_moment *moment = &log->moment;
        finish_transactions(log->options.finish, moment->index, moment->of.flow, &log->events,
                            moment->now_ns);
        finish_pass(log->options.outbox, &log->events);
    }
}
