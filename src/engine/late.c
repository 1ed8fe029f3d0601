// SPDX-License-Identifier: Apache-2.0
#include "engine/late.h"

uint32_t late_ask(struct late *late, const struct listeners *all, const struct flow_key *key,
                  struct span data, unsigned side)
{
    unsigned bit = 1U << side;
    bool is_early = late->bytes < LATE_BYTES && late->turns < LATE_TURNS;
    bool is_looked_at = (late->is_turn && is_early) || (late->waits & bit) != 0;
    uint32_t number = is_looked_at ? listeners_ask_late(all, key, data, side) : LISTENERS_NONE;
    late->is_turn = false;
    late->waits = (uint8_t)((number == 0 ? late->waits | bit : late->waits & ~bit) & 3);
    return number;
}
