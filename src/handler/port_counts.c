// SPDX-License-Identifier: Apache-2.0
#include "handler/port_counts.h"

enum {
    HEAVY = 256,   /* ports that leave last, at most: fewer than a top-N holds */
    WEIGHTS = 256, /* told apart when it is found out which those are */
    LINE_WORDS = PORT_COUNTS_PORTS / PORT_COUNTS_LINE / 64,
};

/* What is done with each port of the lines in use. */
struct visit {
    void (*port)(struct visit *visit, unsigned port);
    struct port_counts *ports;
    uint32_t histogram[WEIGHTS];
    uint32_t from, below; /* counts that leave now */
    port_counts_leave *leave;
    void *context;
};

static void visit_all(struct visit *visit)
{
    for (unsigned i = 0; i < LINE_WORDS; i++) {
        for (uint64_t left = visit->ports->lines[i]; left != 0; left &= left - 1) {
            unsigned first = (64 * i + (unsigned)__builtin_ctzll(left)) * PORT_COUNTS_LINE;
            for (unsigned port = first; port < first + PORT_COUNTS_LINE; port++) {
                visit->port(visit, port);
            }
        }
    }
}

static void weigh(struct visit *visit, unsigned port)
{
    uint32_t count = visit->ports->counts[port];
    visit->histogram[count < WEIGHTS ? count : WEIGHTS - 1]++;
}

static void let_go(struct visit *visit, unsigned port)
{
    uint32_t count = visit->ports->counts[port];
    if (count >= visit->from && count < visit->below) {
        visit->leave(visit->context, port, count);
        visit->ports->counts[port] = 0;
    }
}

/* The least count that no more than HEAVY ports have or exceed, as far as counts are told apart. */
static uint32_t heavy_from(const uint32_t histogram[WEIGHTS])
{
    uint32_t from = WEIGHTS, ports = 0;
    while (from > 1 && ports + histogram[from - 1] <= HEAVY) {
        ports += histogram[--from];
    }
    return from < WEIGHTS ? from : WEIGHTS - 1;
}

void port_counts_fold(struct port_counts *ports, port_counts_leave *leave, void *context)
{
    struct visit visit = {.port = weigh, .ports = ports, .leave = leave, .context = context};
    visit_all(&visit);
    uint32_t heavy = heavy_from(visit.histogram);
    visit.port = let_go;
    visit.from = 1;
    visit.below = heavy;
    visit_all(&visit);
    visit.from = heavy;
    visit.below = UINT16_MAX + 1;
    visit_all(&visit);
    memset(ports->lines, 0, sizeof ports->lines);
}
