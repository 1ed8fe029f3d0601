// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: the inside of an intake. intake.c is packets and events of inputs, and time;
 * intake_marks.c which inputs let a flow's packets through; intake_finish.c what workers have finished. */
#pragma once

#include "policy/policy_set.h"

enum { INTAKE_MESSAGE = 4096 /* of what readers read into */ };

/* The connections of an input live as long as it is in the plan. */
struct intake_input {
    const struct policy_input *input;
    const struct policy_band *band; /* NULL: they are its own */
    struct streams *streams;
    struct exports *exports; /* of an input of flows */
    uint64_t first_ns, last_ns;
    uint32_t mark;           /* for flows of which it let a packet through; 0: their keys say it */
};

struct intake {
    struct policies *set;
    struct policy_slot *slot;
    struct policy_plan *plan;
    struct intake_input inputs[PLAN_INPUTS]; /* by number in the plan */
    struct slab *slab;
    uint64_t seen[PLAN_GROUPS]; /* which members of a group want the packet at hand */
    uint32_t used_marks, stale_marks; /* ever given to an input; of inputs that are gone */
    const char *tap;      /* packets come from; NULL: any */
    uint64_t minute;      /* of packet time; 0: none yet, or a file, whose time is one period */
    uint64_t second;      /* of packet time: transactions are looked at in each */
    uint64_t ahead;       /* a minute that one packet spoke of, and nobody else yet; 0: none */
    bool is_recorded;
    bool waits;           /* reads a file: faster than the office looks after what was counted */
    _Alignas(16) uint8_t message[INTAKE_MESSAGE];
    /* the event at hand, for those called with a message of a connection */
    const struct plan_input *at;
    struct handler_event *event;
    unsigned end;
};

/* ---- intake.c ------------------------------------------------------------------------------- */

enum moment { MOMENT_NOW, MOMENT_BEFORE, MOMENT_LATE, MOMENT_FUTURE };

/* Which minute a packet belongs to. One that is far ahead of all others does not turn the windows
 * over; two in a row do: there was a long silence, or the clock was set. */
enum moment intake_moment_of(struct intake *intake, uint64_t time_ns);

/* Packet time, as far as it is believed, is looked at here and not where the front marks it: a front
 * whose time was once led astray marks nothing any more. */
void intake_pass_second(struct intake *intake, uint64_t time_ns, enum moment moment);

/* ---- intake_finish.c ------------------------------------------------------------------------ */

/* Whether what comes from a tap of that name (NULL: any) is the input's. */
static inline bool intake_is_of_tap(const struct intake *intake, const struct policy_input *input,
                                    const char *tap)
{
    return intake->is_recorded || tap == NULL || strcmp(input->source, tap) == 0;
}

/* ---- intake_marks.c ------------------------------------------------------------------------- */

/* Gives a mark to each input that needs one and has none. Without one, when none are left, an input lets
 * things through by their keys. */
void intake_give_marks(struct intake *intake, const struct policy_plan *plan);
