// SPDX-License-Identifier: Apache-2.0
/* How often each port came since all were last let go. Clients of DNS take a new one for each question: a
 * cache would keep none of them long enough, and its look-ups in a top-N would cost more than all else
 * that is known of a message. Here a port costs an addition, and it leaves with the sum of a second or more.
 * Exact; 128 KiB, touched as ports come; zeroes are an empty one. One thread. */
#pragma once

#include "base/span.h"

enum { PORT_COUNTS_PORTS = 65536, PORT_COUNTS_LINE = 64 };

struct port_counts {
    uint16_t counts[PORT_COUNTS_PORTS];
    uint64_t lines[PORT_COUNTS_PORTS / PORT_COUNTS_LINE / 64]; /* a bit: some of so many are not 0 */
};

/* What is done with a port that leaves. */
typedef void port_counts_leave(void *context, unsigned port, uint32_t count);

static inline void port_counts_add(struct port_counts *ports, uint16_t port,
                                   port_counts_leave *leave, void *context)
{
    unsigned line = port / PORT_COUNTS_LINE;
    ports->lines[line / 64] |= UINT64_C(1) << line % 64;
    if (++ports->counts[port] == 0) {
        leave(context, port, UINT16_MAX + 1);
    }
}

/* Lets all go, the heaviest last: those stay in a top-N that is too small for all. */
void port_counts_fold(struct port_counts *ports, port_counts_leave *leave, void *context);
