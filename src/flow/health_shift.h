// SPDX-License-Identifier: Apache-2.0
/* Time that goes back, private to flow/'s health files: the clock of the capture was set, or packets
 * stand in it in another order than they passed in. */
#pragma once

#include "flow/health_state.h"

#define HEALTH_STEP_US 125000u /* more is a clock that was set: ntpd slews what is less than 128 ms */

/* The clock was set back by so much since the connection's latest packet. */
void health_shift(struct health_book *book, struct health *h, uint32_t back_us);

/* How long ago something was; 0 if it is to come: a capture may have packets in another order. */
static inline uint32_t health_elapsed(uint32_t now_us, uint32_t since_us)
{
    return health_distance(now_us, since_us) > 0 ? now_us - since_us : 0;
}
