// SPDX-License-Identifier: Apache-2.0
#include "engine/health_paths.h"

#include "engine/health_flat.h"
#include "summary/quantiles.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define GENERATION_NS (UINT64_C(600) * 1000000000)

struct path {
    struct health_path view; /* who, and the counts; quantiles are filled in on reading */
    struct quantiles rtt;
    struct quantiles loss;
    struct quantiles throughput;
};

/* Ten minutes live, or all of a file. */
struct generation {
    uint32_t count;
    struct path paths[HEALTH_PATHS_MAX + 1]; /* the last is that of all others */
};

struct health_paths {
    pthread_mutex_t lock;
    bool rolls;
    uint64_t end_ns; /* of the present generation */
    unsigned present;
    struct generation *generations[2];
};

/* ---- Lifetime ------------------------------------------------------------------------------- */

struct health_paths *health_paths_new(bool rolls)
{
    struct health_paths *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    all->rolls = rolls;
    pthread_mutex_init(&all->lock, NULL);
    for (unsigned i = 0; i < 2; i++) {
        all->generations[i] = calloc(1, sizeof *all->generations[i]); /* untouched until used */
        if (all->generations[i] == NULL) {
            health_paths_free(all);
            return NULL;
        }
    }
    return all;
}

void health_paths_free(struct health_paths *all)
{
    if (all != NULL) {
        pthread_mutex_destroy(&all->lock);
        free(all->generations[0]);
        free(all->generations[1]);
        free(all);
    }
}

static void reset(struct generation *g)
{
    for (uint32_t i = 0; i <= HEALTH_PATHS_MAX; i++) {
        struct path *path = &g->paths[i];
        if (path->view.connections > 0) {
            quantiles_reset(&path->rtt);
            quantiles_reset(&path->loss);
            quantiles_reset(&path->throughput);
            path->view = (struct health_path){0};
        }
    }
    g->count = 0;
}

/* ---- Adding --------------------------------------------------------------------------------- */

static void name_path(struct health_path *to, const struct health_event *event)
{
    *to = (struct health_path){.as_number = event->client.as_number,
                               .port = event->flow.destination_port};
    memcpy(to->country, event->client.country, sizeof to->country);
    memcpy(to->as_name, event->client.as_name, sizeof to->as_name);
    snprintf(to->zone, sizeof to->zone, "%s",
             event->server.zone != NULL ? event->server.zone : "");
}

static bool is_same(const struct health_path *a, const struct health_path *b)
{
    return a->port == b->port && a->as_number == b->as_number && a->is_rest == b->is_rest &&
           strcmp(a->country, b->country) == 0 && strcmp(a->zone, b->zone) == 0;
}

static struct path *find(struct generation *g, const struct health_path *wanted)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (is_same(&g->paths[i].view, wanted)) {
            return &g->paths[i];
        }
    }
    return NULL;
}

/* The path of that name, made if need be; that of all others when there are as many as may be. */
static struct path *take(struct generation *g, const struct health_path *wanted)
{
    struct path *path = find(g, wanted);
    if (path != NULL) {
        return path;
    }
    if (wanted->is_rest || g->count == HEALTH_PATHS_MAX) {
        g->paths[HEALTH_PATHS_MAX].view.is_rest = true;
        return &g->paths[HEALTH_PATHS_MAX];
    }
    path = &g->paths[g->count++];
    path->view = *wanted;
    return path;
}

static void turn(struct health_paths *all, uint64_t now_ns)
{
    if (!all->rolls || now_ns < all->end_ns) {
        return;
    }
    bool is_late = all->end_ns == 0 || now_ns - all->end_ns >= GENERATION_NS;
    all->present = 1 - all->present;
    reset(all->generations[all->present]);
    if (is_late) { /* nothing for so long: the one before is old, too */
        reset(all->generations[1 - all->present]);
    }
    all->end_ns = now_ns + GENERATION_NS;
}

void health_paths_add(struct health_paths *all, const struct health_event *event)
{
    struct health_path name;
    struct health_trip trip = health_trip_of(&event->record);
    name_path(&name, event);
    pthread_mutex_lock(&all->lock);
    turn(all, event->flow.timestamp_ns);
    struct path *path = take(all->generations[all->present], &name);
    path->view.connections++;
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        path->view.verdicts[i] += event->record.findings[i].truth == HEALTH_TRUE;
    }
    quantiles_add(&path->rtt, trip.rtt_ms); /* NAN is not counted */
    quantiles_add(&path->loss, trip.loss_percent);
    quantiles_add(&path->throughput, trip.throughput_mbps);
    pthread_mutex_unlock(&all->lock);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static void merge(struct path *into, const struct path *from)
{
    into->view.connections += from->view.connections;
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        into->view.verdicts[i] += from->view.verdicts[i];
    }
    quantiles_merge(&into->rtt, &from->rtt);
    quantiles_merge(&into->loss, &from->loss);
    quantiles_merge(&into->throughput, &from->throughput);
}

static void measure(struct path *path)
{
    struct health_path *view = &path->view;
    view->rtt_p50_ms = quantiles_at(&path->rtt, 0.5);
    view->rtt_p95_ms = quantiles_at(&path->rtt, 0.95);
    view->rtt_p99_ms = quantiles_at(&path->rtt, 0.99);
    view->loss_p50_percent = quantiles_at(&path->loss, 0.5);
    view->loss_p95_percent = quantiles_at(&path->loss, 0.95);
    view->throughput_p5_mbps = quantiles_at(&path->throughput, 0.05);
    view->throughput_p50_mbps = quantiles_at(&path->throughput, 0.5);
}

/* Longest round trips first; those without any last; ties by how many they were. */
static int worst_first(const void *a, const void *b)
{
    const struct health_path *x = &((const struct path *)a)->view;
    const struct health_path *y = &((const struct path *)b)->view;
    double p = isnan(x->rtt_p95_ms) ? -1 : x->rtt_p95_ms;
    double q = isnan(y->rtt_p95_ms) ? -1 : y->rtt_p95_ms;
    if (p != q) {
        return p < q ? 1 : -1;
    }
    return x->connections < y->connections ? 1 : x->connections > y->connections ? -1 : 0;
}

/* What a path is called where only these keys count. */
static struct health_path name_by(const struct health_path *path, unsigned keys)
{
    struct health_path name = {.is_rest = path->is_rest};
    if (keys & HEALTH_PATHS_COUNTRY) {
        memcpy(name.country, path->country, sizeof name.country);
    }
    if (keys & HEALTH_PATHS_ASN) {
        name.as_number = path->as_number;
        memcpy(name.as_name, path->as_name, sizeof name.as_name);
    }
    if (keys & HEALTH_PATHS_ZONE) {
        memcpy(name.zone, path->zone, sizeof name.zone);
    }
    name.port = keys & HEALTH_PATHS_PORT ? path->port : 0;
    return name;
}

static void collect(struct generation *into, const struct generation *from, unsigned keys)
{
    for (uint32_t i = 0; i <= HEALTH_PATHS_MAX; i++) {
        if (from->paths[i].view.connections > 0) {
            struct health_path name = name_by(&from->paths[i].view, keys);
            merge(take(into, &name), &from->paths[i]);
        }
    }
}

static unsigned key_of(const char *text, size_t size)
{
    static const char *const names[] = {"country", "asn", "zone", "port"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == size && memcmp(names[i], text, size) == 0) {
            return 1U << i;
        }
    }
    return 0;
}

bool health_paths_keys(const char *text, unsigned *ret)
{
    *ret = 0;
    for (;;) {
        size_t size = strcspn(text, ",");
        unsigned key = key_of(text, size);
        if (key == 0 || *ret & key) {
            return false;
        }
        *ret |= key;
        if (text[size] == '\0') {
            return true;
        }
        text += size + 1;
    }
}

uint32_t health_paths_worst(struct health_paths *all, unsigned keys, struct health_path *ret,
                            uint32_t max, uint32_t *ret_total)
{
    struct generation *both = calloc(1, sizeof *both);
    *ret_total = 0;
    if (both == NULL) {
        return 0;
    }
    pthread_mutex_lock(&all->lock);
    collect(both, all->generations[all->present], keys);
    collect(both, all->generations[1 - all->present], keys);
    pthread_mutex_unlock(&all->lock);
    struct path *rest = &both->paths[HEALTH_PATHS_MAX];
    uint32_t total = both->count;
    if (rest->view.connections > 0 && total < HEALTH_PATHS_MAX) {
        both->paths[total++] = *rest;
    } else if (rest->view.connections > 0) {
        total = HEALTH_PATHS_MAX + 1;
    }
    for (uint32_t i = 0; i < total; i++) {
        measure(&both->paths[i]);
    }
    qsort(both->paths, total, sizeof *both->paths, worst_first);
    uint32_t count = total < max ? total : max;
    for (uint32_t i = 0; i < count; i++) {
        ret[i] = both->paths[i].view;
    }
    free(both);
    *ret_total = total;
    return count;
}
