// SPDX-License-Identifier: Apache-2.0
/* For fuzz targets only: how the bytes of a fuzzer are a conversation. The first byte is flags, whose
 * upper bits mean the same everywhere (SCRIPT_...); the others are the target's. Then come steps of a
 * byte that says who does what, a byte that says how much, and that much. tools/run-fuzz writes
 * captures in this form, so that fuzzing begins with what real programs say. */
#pragma once

#include "base/cursor.h"

enum {
    SCRIPT_SEND = 0x80,   /* events show requests and responses */
    SCRIPT_REPORT = 0x40, /* responses without a request are events */
    SCRIPT_SLOW = 0x20,   /* steps are a second apart: transactions time out */
    SCRIPT_OWN = 0x1f,    /* bits that are the target's */
};

enum script_kind { SCRIPT_SAY, SCRIPT_GAP, SCRIPT_FIN };

struct script_step {
    enum script_kind kind;
    uint8_t what; /* bit 0: the side; bits 1 to 3 are the target's */
    unsigned side;
    struct span data;    /* SCRIPT_SAY; otherwise empty, never NULL */
    uint32_t length;     /* SCRIPT_GAP: from 1 to 256 */
};

static inline uint8_t script_flags(struct span input)
{
    return input.size > 0 ? input.data[0] : 0;
}

static inline struct cursor script_steps(struct span input)
{
    return cursor_of(input.size > 0 ? span_skip(input, 1) : input);
}

/* The next step; false at the end, with an empty one. */
static inline bool script_next(struct cursor *c, struct script_step *step)
{
    *step = (struct script_step){.data = span_of("", 0)};
    if (cursor_left(c) < 2) {
        return false;
    }
    uint8_t what = cursor_u8(c);
    size_t length = cursor_u8(c);
    step->what = what;
    step->side = what & 1;
    step->length = (uint32_t)length + 1;
    if ((what & 0xf0) == 0xf0) {
        step->kind = SCRIPT_GAP;
    } else if ((what & 0xf0) == 0xe0) {
        step->kind = SCRIPT_FIN;
    } else {
        length <<= what >> 4 & 3;
        step->kind = SCRIPT_SAY;
        step->data = cursor_take(c, length < cursor_left(c) ? length : cursor_left(c));
    }
    return true;
}
