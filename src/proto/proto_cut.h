// SPDX-License-Identifier: Apache-2.0
/* Why a text in an event ends before its own end, and the words that say so in `error.message`. What
 * protocols share. */
#pragma once

#include <stdbool.h>

#include "event/event_log.h"
#include "event/transaction.h"

/* Bytes of a text for which no more memory is asked than there is for any message: longer ones have
 * what can be had, and are the first to be cut. */
enum { PROTO_TEXT_SURE = 64 << 10 };

/* What is packed more than so many times is not unpacked whole: nobody is to have much work made of
 * a few bytes. */
enum { PROTO_DENSITY_MAX = 128 };

enum proto_cut {
    PROTO_CUT_NOT,
    PROTO_CUT_AT_MOST,  /* at max_message_size */
    PROTO_CUT_SHORT,    /* for want of memory */
    PROTO_CUT_DENSE,    /* it is packed more than PROTO_DENSITY_MAX times */
    PROTO_CUT_LONG,     /* it is longer than what is read of any, or kept */
    PROTO_CUT_MANY,     /* it has more keys, values or words than an event shows */
    PROTO_CUT_PREPARED, /* what is remembered of a prepared statement */
};

/* The note of a request's text, or of a response's, that was cut; a static text, "" of one that is whole. */
static inline const char *proto_cut_note(enum proto_cut cut, bool is_response)
{
    static const char *const notes[][2] = {
        [PROTO_CUT_NOT] = {"", ""},
        [PROTO_CUT_AT_MOST] = {"Request cut at max_message_size",
                               "Response cut at max_message_size"},
        [PROTO_CUT_SHORT] = {"Request cut for want of memory", "Response cut for want of memory"},
        [PROTO_CUT_DENSE] = {"Request cut: it is packed too densely",
                             "Response cut: it is packed too densely"},
        [PROTO_CUT_LONG] = {"Request cut: it is longer than what is read of one",
                            "Response cut: it is longer than what is read of one"},
        [PROTO_CUT_MANY] = {"Request cut: it has more parts than are shown",
                            "Response cut: it has more parts than are shown"},
        [PROTO_CUT_PREPARED] = {"Request cut: so much of a prepared statement is remembered", ""},
    };
    return notes[cut][is_response];
}

/* Has the event that is added next counted as cut where memory was short for its request's text, or
 * its response's. */
static inline void proto_cut_count(struct event_log *log, enum proto_cut request,
                                   enum proto_cut response)
{
    log->is_cut = log->is_cut || request == PROTO_CUT_SHORT || response == PROTO_CUT_SHORT;
}

/* The same, and says in the transaction's notes, which stand at `notes` with room for two more,
 * what of its texts was cut. */
static inline void proto_cut_tell(struct event_log *log, struct transaction *t, struct span *notes,
                                  enum proto_cut request, enum proto_cut response)
{
    if (request != PROTO_CUT_NOT) {
        notes[t->notes.count++] = span_str(proto_cut_note(request, false));
    }
    if (response != PROTO_CUT_NOT) {
        notes[t->notes.count++] = span_str(proto_cut_note(response, true));
    }
    proto_cut_count(log, request, response);
}
