// SPDX-License-Identifier: Apache-2.0
#include "engine/watch.h"

#include <stdlib.h>
#include <string.h>

enum {
    TCP = 6, /* IANA number */
    PLACES = 4096,
};

struct drawer {
    struct tcp_graph *graph;
    struct watch_id id;
    flow_index flow; /* 0: it ended, or the drawer was never used */
    uint64_t used;   /* when it was begun or ended, in counts of such moments; 0: never */
    double badness;  /* of one that ended */
    bool whole;
    bool wanted;
};

struct watch {
    struct watch_options options;
    struct drawer *drawers;
    uint64_t moments;
    uint8_t places[PLACES]; /* by the low bits of flows: number of the drawer, plus 1; 0: none */
};

struct watch *watch_new(const struct watch_options *options, struct err *err)
{
    struct watch *watch = calloc(1, sizeof *watch);
    struct drawer *drawers = calloc(options->drawers, sizeof *drawers);
    if (watch == NULL || drawers == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        free(watch);
        free(drawers);
        return NULL;
    }
    *watch = (struct watch){.options = *options, .drawers = drawers};
    for (uint32_t i = 0; i < options->drawers; i++) {
        drawers[i].graph = tcp_graph_new(options->room, err);
        if (drawers[i].graph == NULL) {
            watch_free(watch);
            return NULL;
        }
    }
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL) {
        return;
    }
    for (uint32_t i = 0; i < watch->options.drawers; i++) {
        tcp_graph_free(watch->drawers[i].graph);
    }
    free(watch->drawers);
    free(watch);
}

/* ---- Drawers --------------------------------------------------------------------------------- */

static struct drawer *drawer_of(const struct watch *watch, flow_index flow)
{
    unsigned number = watch->places[flow % PLACES];
    if (number == 0 || watch->drawers[number - 1].flow != flow) {
        return NULL;
    }
    return &watch->drawers[number - 1];
}

/* Whether `a` can better be spared than `b`: ended before going on, then not asked for before asked
 * for, then the less bad, then the older. */
static bool is_spare(const struct drawer *a, const struct drawer *b)
{
    if ((a->flow == 0) != (b->flow == 0)) {
        return a->flow == 0;
    }
    if (a->wanted != b->wanted) {
        return b->wanted;
    }
    if (a->badness != b->badness) {
        return a->badness < b->badness;
    }
    return a->used < b->used;
}

/* Its flow is not drawn any more. */
static void close_drawer(struct watch *watch, struct drawer *drawer)
{
    if (drawer->flow != 0) {
        watch->places[drawer->flow % PLACES] = 0;
        drawer->flow = 0;
    }
}

/* A drawer for the flow; the one that has its place, if another flow has it. */
static struct drawer *take_drawer(struct watch *watch, flow_index flow, bool wanted)
{
    unsigned number = watch->places[flow % PLACES];
    if (number != 0) {
        return wanted ? &watch->drawers[number - 1] : NULL;
    }
    struct drawer *best = &watch->drawers[0];
    for (uint32_t i = 1; i < watch->options.drawers; i++) {
        best = is_spare(&watch->drawers[i], best) ? &watch->drawers[i] : best;
    }
    return best->flow == 0 || wanted ? best : NULL;
}

static bool is_same(const struct watch_id *a, const struct watch_id *b)
{
    return a->order == b->order && memcmp(&a->key, &b->key, sizeof a->key) == 0;
}

/* ---- The worker's side ----------------------------------------------------------------------- */

void watch_begin(struct watch *watch, const struct health_book *book, flow_index flow,
                 const struct watch_id *id, bool wanted)
{
    if (id->key.version == 0 || id->key.protocol != TCP ||
        (watch->options.only && id->order != watch->options.order)) {
        return;
    }
    struct drawer *drawer = drawer_of(watch, flow);
    if (drawer != NULL) {
        drawer->wanted = drawer->wanted || wanted;
        return;
    }
    drawer = take_drawer(watch, flow, wanted);
    if (drawer == NULL) {
        return;
    }
    drawer->id = *id;
    close_drawer(watch, drawer);
    drawer->flow = flow;
    watch->places[flow % PLACES] = (uint8_t)(drawer - watch->drawers + 1);
    drawer->used = ++watch->moments;
    drawer->badness = 0;
    drawer->wanted = wanted;
    drawer->whole = !wanted;
    tcp_graph_begin(drawer->graph, book, flow);
}

void watch_packet(struct watch *watch, const struct health_book *book, flow_index flow,
                  const struct packet *p, unsigned side)
{
    struct drawer *drawer = drawer_of(watch, flow);
    if (drawer != NULL) {
        tcp_graph_packet(drawer->graph, book, flow, p, side);
    }
}

bool watch_draws(const struct watch *watch, flow_index flow)
{
    return drawer_of(watch, flow) != NULL;
}

void watch_end(struct watch *watch, flow_index flow, double badness)
{
    struct drawer *drawer = drawer_of(watch, flow);
    if (drawer != NULL) {
        close_drawer(watch, drawer);
        drawer->used = ++watch->moments;
        drawer->badness = badness;
    }
}

/* ---- Readers --------------------------------------------------------------------------------- */

const struct tcp_marks *watch_first(const struct watch *watch)
{
    const struct drawer *first = &watch->drawers[0];
    return first->used > 0 ? tcp_graph_marks(first->graph) : NULL;
}

const struct tcp_marks *watch_find(const struct watch *watch, const struct watch_id *id,
                                   bool *ret_whole)
{
    for (uint32_t i = 0; i < watch->options.drawers; i++) {
        const struct drawer *drawer = &watch->drawers[i];
        if (drawer->used > 0 && is_same(&drawer->id, id)) {
            *ret_whole = drawer->whole;
            return tcp_graph_marks(drawer->graph);
        }
    }
    return NULL;
}
