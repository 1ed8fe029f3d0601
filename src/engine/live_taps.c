// SPDX-License-Identifier: Apache-2.0
#include "engine/live_taps.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "tap/interfaces.h"

enum {
    POLL_MS = 100,
    POLL_SEVERAL_MS = 5, /* with several taps, which are polled in turn */
    POLL_LENT_MS = 20,   /* of taps that may be several later */
    RING_BYTES = 64 << 20,
    SNAP_LEN = 256 << 10,
    WAIT_NS = 1000000,
    WAITS = 5000, /* five seconds, then a worker is given up */
};

/* A worker's place: which plan it shall have, and which it has. */
struct seat {
    _Atomic(struct live_plan *) taken;
    _Atomic bool is_used;
};

struct live_taps {
    const struct engine *engine;
    pthread_mutex_t changes; /* one follows at a time */
    pthread_mutex_t lock;    /* of what readers hold; never while something is opened */
    _Atomic(struct live_plan *) plan;
    struct seat seats[CONFIG_WORKERS_MAX];
    uint16_t lent_group; /* the first number of the fanout that the configuration's taps leave */
};

/* ---- Opening -------------------------------------------------------------------------------- */

static void tap_close(struct live_tap *tap)
{
    for (uint32_t i = 0; tap != NULL && i < CONFIG_WORKERS_MAX; i++) {
        if (tap->handles[i] != NULL) {
            tap->kind->close(tap->handles[i]);
        }
    }
    free(tap);
}

static bool tap_open(struct live_tap *tap, const struct engine *engine, uint32_t poll_ms,
                     struct err *err)
{
    const struct config_tap *wanted = tap->config;
    const struct text_list *sources =
        wanted->interfaces.count > 0 ? &wanted->interfaces : &wanted->files;
    tap->kind = tap_kind_find(wanted->kind);
    assert(tap->kind != NULL);
    struct tap_options options = {
        .sources = sources->items,
        .source_count = (uint32_t)sources->count,
        .filter = wanted->filter != NULL && wanted->filter[0] != '\0' ? wanted->filter : NULL,
        .snap_len = (uint32_t)wanted->snap_len,
        .ring_bytes = (uint64_t)wanted->ring_size,
        .workers = engine->worker_count,
        .fanout_group = tap->group,
        .promiscuous = wanted->promiscuous,
        .ignore_outgoing = wanted->ignore_outgoing,
        .poll_ms = poll_ms,
    };
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        options.worker = i;
        tap->handles[i] = tap->kind->open(&options, err);
        if (tap->handles[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* Groups must differ between the agents of a machine, and a tap takes one for each of its sources. */
static uint16_t first_group(const struct engine *engine)
{
    return engine->worker_count > 1 ? (uint16_t)((unsigned)getpid() * 16 + 1) : 0;
}

static bool open_configured(struct live_taps *taps, struct live_plan *plan, struct err *err)
{
    const struct config *config = taps->engine->config;
    for (size_t i = 0; i < config->tap_count && i < LIVE_TAPS_MAX; i++) {
        struct live_tap *tap = calloc(1, sizeof *tap);
        if (tap == NULL) {
            return err_set(err, ERR_FAILED, "out of memory");
        }
        const struct config_tap *wanted = &config->taps[i];
        size_t sources =
            wanted->interfaces.count > 0 ? wanted->interfaces.count : wanted->files.count;
        tap->config = wanted;
        tap->group = taps->lent_group;
        plan->taps[plan->count++] = tap;
        if (!tap_open(tap, taps->engine, config->tap_count > 1 ? POLL_SEVERAL_MS : POLL_MS, err)) {
            return false;
        }
        taps->lent_group = (uint16_t)(taps->lent_group + (tap->group > 0 ? sources : 0));
    }
    return true;
}

struct live_taps *live_taps_new(const struct engine *engine, struct err *err)
{
    struct live_taps *taps = calloc(1, sizeof *taps);
    struct live_plan *plan = calloc(1, sizeof *plan);
    if (taps == NULL || plan == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        free(taps);
        free(plan);
        return NULL;
    }
    taps->engine = engine;
    taps->lent_group = first_group(engine);
    atomic_store(&taps->plan, plan);
    pthread_mutex_init(&taps->changes, NULL);
    pthread_mutex_init(&taps->lock, NULL);
    if (!open_configured(taps, plan, err)) {
        live_taps_free(taps);
        return NULL;
    }
    return taps;
}

void live_taps_free(struct live_taps *taps)
{
    if (taps == NULL) {
        return;
    }
    struct live_plan *plan = atomic_load(&taps->plan);
    for (uint32_t i = 0; i < plan->count; i++) {
        tap_close(plan->taps[i]);
    }
    free(plan);
    pthread_mutex_destroy(&taps->changes);
    pthread_mutex_destroy(&taps->lock);
    free(taps);
}

/* ---- Workers -------------------------------------------------------------------------------- */

const struct live_plan *live_taps_take(struct live_taps *taps, uint32_t worker)
{
    struct seat *seat = &taps->seats[worker];
    if (!atomic_load_explicit(&seat->is_used, memory_order_relaxed)) {
        atomic_store(&seat->is_used, true);
    }
    struct live_plan *plan = atomic_load(&taps->plan);
    if (plan != atomic_load_explicit(&seat->taken, memory_order_relaxed)) {
        atomic_store(&seat->taken, plan);
    }
    return plan;
}

void live_taps_leave(struct live_taps *taps, uint32_t worker)
{
    atomic_store(&taps->seats[worker].is_used, false);
}

/* Whether no worker has an older plan any more. One that just begins takes a seat before it looks. */
static bool wait_for_workers(struct live_taps *taps, const struct live_plan *plan)
{
    bool all = true;
    for (uint32_t i = 0; i < taps->engine->worker_count; i++) {
        unsigned waits = 0;
        while (atomic_load(&taps->seats[i].is_used) &&
               atomic_load(&taps->seats[i].taken) != plan && waits++ < WAITS) {
            nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        }
        all = all && waits <= WAITS;
    }
    return all;
}

/* ---- What policies ask for ------------------------------------------------------------------ */

/* The interface with an address, as pktvisor takes one. */
static bool find_address(const struct interfaces *list, const char *address, char *ret, size_t room)
{
    size_t size = strlen(address);
    for (size_t i = 0; i < list->count; i++) {
        const char *at = list->entries[i].addresses;
        while (*at != '\0') {
            size_t word = strcspn(at, " ");
            if (word >= size && strncmp(at, address, size) == 0 &&
                (word == size || at[size] == '/')) {
                snprintf(ret, room, "%s", list->entries[i].name);
                return true;
            }
            at += word + (at[word] == ' ');
        }
    }
    return false;
}

static bool complain_missing(const struct interfaces *list, const char *name, bool is_address,
                             struct err *err)
{
    char there[256] = "";
    if (is_address) {
        return err_set(err, ERR_USAGE, "Couldn't find interface by provided IP: %s", name);
    }
    for (size_t i = 0, at = 0; i < list->count && at < sizeof there; i++) {
        at += (size_t)snprintf(there + at, sizeof there - at, "%s%s", i > 0 ? ", " : "",
                               list->entries[i].name);
    }
    return err_set(err, ERR_USAGE,
                   "Couldn't find interface by provided name: \"%s\". Available interfaces: %s", name,
                   there);
}

/* From what a tap names, an interface, an address of one, or `auto`, to an interface. */
static bool find_interface(const char *name, char *ret, size_t room, struct err *err)
{
    uint8_t bytes[16];
    char chosen[IF_NAMESIZE], why[200];
    struct interfaces list;
    bool is_address = inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
    if (strcmp(name, "auto") == 0) {
        if (!interfaces_choose(chosen, why, sizeof why, err)) {
            return false;
        }
        log_info("%s", why);
        snprintf(ret, room, "%s", chosen);
        return true;
    }
    if (!interfaces_read(&list, err)) {
        return false;
    }
    bool found = strcmp(name, "any") == 0 || interfaces_find(&list, name) != NULL;
    if (found) {
        snprintf(ret, room, "%s", name);
    } else {
        found = (is_address && find_address(&list, name, ret, room)) ||
                complain_missing(&list, name, is_address, err);
    }
    interfaces_done(&list);
    return found;
}

static struct live_tap *open_lent(const struct live_taps *taps, const struct policies_capture *wanted,
                                  uint16_t group, struct err *err)
{
    struct live_tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    snprintf(tap->name, sizeof tap->name, "%s", wanted->name);
    snprintf(tap->source, sizeof tap->source, "%s", wanted->source);
    tap->interfaces[0] = tap->interface;
    tap->own = (struct config_tap){.name = tap->name, .kind = "afpacket", .filter = "",
                                   .interfaces = {tap->interfaces, 1, false},
                                   .snap_len = SNAP_LEN, .ring_size = RING_BYTES};
    tap->config = &tap->own;
    tap->is_lent = true;
    tap->group = group;
    if (!find_interface(tap->source, tap->interface, sizeof tap->interface, err) ||
        !tap_open(tap, taps->engine, POLL_LENT_MS, err)) {
        tap_close(tap);
        return NULL;
    }
    return tap;
}

static bool is_for(const struct live_tap *tap, const struct policies_capture *wanted)
{
    return !wanted->is_file && tap->config->name != NULL &&
           strcmp(tap->config->name, wanted->name) == 0 &&
           (!tap->is_lent || strcmp(tap->source, wanted->source) == 0);
}

static struct live_tap *find(const struct live_plan *plan, const struct policies_capture *wanted)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (is_for(plan->taps[i], wanted)) {
            return plan->taps[i];
        }
    }
    return NULL;
}

static bool is_wanted(const struct live_tap *tap, const struct policies_capture *wanted, size_t count)
{
    bool found = !tap->is_lent;
    for (size_t i = 0; i < count && !found; i++) {
        found = is_for(tap, &wanted[i]);
    }
    return found;
}

static bool has(const struct live_plan *plan, const struct live_tap *tap)
{
    bool found = false;
    for (uint32_t i = 0; i < plan->count; i++) {
        found = found || plan->taps[i] == tap;
    }
    return found;
}

/* A number of the fanout that no tap of the plan has. */
static uint16_t free_group(const struct live_taps *taps, const struct live_plan *plan)
{
    uint16_t group = taps->lent_group;
    for (uint32_t i = 0; group > 0 && i < plan->count; i++) {
        if (plan->taps[i]->is_lent && plan->taps[i]->group == group) {
            group++;
            i = UINT32_MAX; /* from the front again */
        }
    }
    return group;
}

/* Closes what the other plan has not. */
static void close_rest(const struct live_plan *plan, const struct live_plan *other)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!has(other, plan->taps[i])) {
            tap_close(plan->taps[i]);
        }
    }
}

/* What stays of the old plan, and what is new; false when one cannot be opened. */
static bool fill_plan(const struct live_taps *taps, const struct live_plan *old,
                      const struct policies_capture *wanted, size_t count, struct live_plan *ret,
                      struct err *err)
{
    for (uint32_t i = 0; i < old->count; i++) {
        if (is_wanted(old->taps[i], wanted, count)) {
            ret->taps[ret->count++] = old->taps[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].is_file || find(ret, &wanted[i]) != NULL) {
            continue;
        }
        if (ret->count == LIVE_TAPS_MAX) {
            return err_set(err, ERR_USAGE, "captures on more than %d taps", LIVE_TAPS_MAX);
        }
        struct live_tap *tap = open_lent(taps, &wanted[i], free_group(taps, ret), err);
        if (tap == NULL) {
            return false;
        }
        ret->taps[ret->count++] = tap;
    }
    return true;
}

bool live_taps_follow(struct live_taps *taps, const struct policies_capture *wanted, size_t count,
                      struct err *err)
{
    struct live_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    pthread_mutex_lock(&taps->changes);
    struct live_plan *old = atomic_load(&taps->plan);
    bool done = fill_plan(taps, old, wanted, count, plan, err);
    if (!done) {
        close_rest(plan, old);
        free(plan);
    } else {
        pthread_mutex_lock(&taps->lock);
        atomic_store(&taps->plan, plan);
        pthread_mutex_unlock(&taps->lock);
        if (wait_for_workers(taps, plan)) {
            close_rest(old, plan);
            free(old);
        }
    }
    pthread_mutex_unlock(&taps->changes);
    return done;
}

/* ---- Readers -------------------------------------------------------------------------------- */

const struct live_plan *live_taps_hold(struct live_taps *taps)
{
    pthread_mutex_lock(&taps->lock);
    return atomic_load(&taps->plan);
}

void live_taps_release(struct live_taps *taps)
{
    pthread_mutex_unlock(&taps->lock);
}
