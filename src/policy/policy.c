// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/pages.h"
#include "base/seconds.h"
#include "handler/pcap_stats.h"
#include "handler/services.h"
#include "policy/intake_thread.h"
#include "policy/policy_band.h"
#include "policy/policy_input.h"
#include "policy/policy_life.h"
#include "policy/policy_parcel.h"
#include "policy/policy_plan.h"
#include "policy/policy_resources.h"
#include "policy/policy_store.h"
#include "summary/windows.h"

/* ---- Life ----------------------------------------------------------------------------------- */

struct policies *policies_new(const struct policies_options *options)
{
    struct policies *set = calloc(1, sizeof *set);
    if (set == NULL) {
        abort();
    }
    set->options = *options;
    set->memory = tree_memory_new();
    set->global_handlers = tree_map();
    clock_gettime(CLOCK_MONOTONIC, &set->started);
    pthread_mutex_init(&set->changes, NULL);
    pthread_mutex_init(&set->lock, NULL);
    return set;
}

void policies_free(struct policies *set)
{
    if (set == NULL) {
        return;
    }
    atomic_store(&set->has_ended, true);
    for (struct policy_input *input = set->inputs; input != NULL; input = input->next) {
        intake_thread_stop(input->thread);
    }
    policy_band_free_all(set);
    while (set->policies != NULL) {
        struct policy *policy = set->policies;
        set->policies = policy->next;
        policy_free(policy);
    }
    while (set->inputs != NULL) {
        policy_input_drop(set, set->inputs);
    }
    while (set->taps != NULL) {
        struct policy_tap *tap = set->taps;
        set->taps = tap->next;
        tree_memory_free(tap->memory);
        free(tap);
    }
    for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
        policy_plan_free(atomic_load(&set->slots[i].wanted));
    }
    geo_close(set->city);
    geo_close(set->owner);
    services_close(set->services);
    pthread_mutex_destroy(&set->changes);
    pthread_mutex_destroy(&set->lock);
    tree_memory_free(set->memory);
    free(set);
}

bool policies_open_geo(struct policies *set, const struct policies_geo *wanted, struct err *err)
{
    const char *city = wanted->city, *owner = wanted->owner;
    set->city = city != NULL ? geo_open(city, wanted->cached, err) : NULL;
    set->owner = owner != NULL ? geo_open(owner, wanted->cached, err) : NULL;
    set->world.city = set->city;
    set->world.owner = set->owner;
    return (city == NULL || set->city != NULL) && (owner == NULL || set->owner != NULL);
}

bool policies_refresh(struct policies *set, char *note, size_t size)
{
    return (set->city != NULL && geo_refresh(set->city, note, size)) ||
           (set->owner != NULL && geo_refresh(set->owner, note, size));
}

bool policies_open_services(struct policies *set, const char *path, struct err *err)
{
    set->services = path != NULL ? services_open(path, err) : NULL;
    set->world.services = set->services;
    return path == NULL || set->services != NULL;
}

/* ---- Taps that deliver packets -------------------------------------------------------------- */

static const char *text_at(const struct tree *map, const char *key)
{
    const struct tree *value = tree_get(map, key);
    return value != NULL ? value->text : NULL;
}

bool policies_packet_tap(const struct policies *set, size_t index,
                         struct policies_packet_tap *ret)
{
    for (const struct policy_tap *tap = set->taps; tap != NULL; tap = tap->next) {
        if (policy_input_kind(tap->input_type) != HANDLER_PCAP || index-- > 0) {
            continue;
        }
        *ret = (struct policies_packet_tap){
            .name = tap->name,
            .interface = text_at(&tap->config, "iface"),
            .file = text_at(&tap->config, "pcap_file"),
            .filter = "",
        };
        return true;
    }
    return false;
}

size_t policies_captures(struct policies *set, struct policies_capture *ret, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&set->lock);
    for (const struct policy_input *input = set->inputs; input != NULL; input = input->next) {
        const char *interface = text_at(&input->config, "iface");
        bool is_read = (input->kind == HANDLER_PCAP || input->kind == HANDLER_FLOW) &&
                       input->file != NULL;
        bool is_captured = input->kind == HANDLER_PCAP && input->file == NULL && interface != NULL;
        if (input->consumers == 0 || (!is_read && !is_captured)) {
            continue;
        }
        if (count < max) {
            ret[count] = (struct policies_capture){
                .serial = input->serial, .is_file = is_read, .slot = input->slot};
            snprintf(ret[count].name, sizeof ret[count].name, "%s", input->source);
            snprintf(ret[count].source, sizeof ret[count].source, "%s",
                     is_read ? input->file : interface);
        }
        count++;
    }
    pthread_mutex_unlock(&set->lock);
    return count;
}

bool policies_begin(struct policies *set, struct err *err)
{
    bool done = true;
    pthread_mutex_lock(&set->changes);
    pthread_mutex_lock(&set->lock);
    set->has_begun = true;
    for (struct policy_input *i = set->inputs; i != NULL && done; i = i->next) {
        done = intake_thread_begin(i->thread, err);
    }
    pthread_mutex_unlock(&set->lock);
    policy_plan_publish(set);
    pthread_mutex_unlock(&set->changes);
    return done;
}

uint32_t policies_input_count(struct policies *set, uint32_t kind)
{
    uint32_t count = 0;
    pthread_mutex_lock(&set->lock);
    for (const struct policy_input *input = set->inputs; input != NULL; input = input->next) {
        count += input->kind == kind;
    }
    pthread_mutex_unlock(&set->lock);
    return count;
}

uint32_t policies_wanted(struct policies *set)
{
    uint32_t kinds = 0;
    pthread_mutex_lock(&set->lock);
    for (const struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        for (const struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            kinds |= i->handler->finished;
        }
    }
    pthread_mutex_unlock(&set->lock);
    return kinds;
}

/* ---- The office ----------------------------------------------------------------------------- */

static uint32_t collect_instance(struct policy_instance *instance, uint64_t now_ns)
{
    uint32_t count = 0;
    if (instance->store.windows != NULL && now_ns != 0) {
        windows_advance(instance->store.windows, now_ns);
    }
    for (uint32_t slot = 0; slot < POLICY_SLOTS; slot++) {
        struct desk *desk = instance->desks[slot];
        struct parcel *parcel =
            desk != NULL ? atomic_exchange_explicit(&desk->ready, NULL, memory_order_acquire)
                         : NULL;
        if (parcel != NULL) {
            policy_parcel_add(instance, parcel);
            policy_parcel_return(desk, parcel);
            count++;
        }
    }
    return count;
}

static void note_time(struct policies *set)
{
    for (uint32_t i = 0; i < set->options.slots && i < POLICY_SLOTS; i++) {
        uint64_t now = atomic_load_explicit(&set->slots[i].now_ns, memory_order_relaxed);
        set->now_ns = now > set->now_ns ? now : set->now_ns;
    }
}

uint32_t policies_collect(struct policies *set)
{
    uint32_t count = 0;
    pthread_mutex_lock(&set->lock);
    note_time(set);
    for (struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            count += collect_instance(i, policy_input_time(set, i->input));
        }
    }
    count += policy_band_collect(set);
    policy_resources_sample(set, false);
    pthread_mutex_unlock(&set->lock);
    return count;
}

/* What is still in an instance's parcels goes to its store. */
static void finish_instance(struct policy_instance *i)
{
    for (uint32_t slot = 0; slot < POLICY_SLOTS; slot++) {
        if (i->desks[slot] != NULL) {
            desk_close(i->desks[slot]);
            policy_parcel_add(i, i->desks[slot]->filling);
            policy_parcel_empty(i->handler, i->desks[slot]->filling);
        }
    }
}

void policies_finish(struct policies *set)
{
    policies_collect(set);
    atomic_store(&set->has_ended, true);
    pthread_mutex_lock(&set->lock);
    policy_band_finish(set);
    for (struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            finish_instance(i);
        }
    }
    policy_resources_sample(set, true);
    pthread_mutex_unlock(&set->lock);
}

void policies_note_drops(struct policies *set, const char *tap, uint64_t os_drops,
                         uint64_t interface_drops)
{
    pthread_mutex_lock(&set->lock);
    for (struct policy *p = set->policies; p != NULL; p = p->next) {
        for (struct policy_instance *i = p->instances; i != NULL; i = i->next) {
            if (i->handler != handler_find("pcap", "1.0") ||
                (tap != NULL && strcmp(i->input->source, tap) != 0)) {
                continue;
            }
            struct pcap_stats more = {
                .os_drops = os_drops - i->drops_seen[0],
                .if_drops = interface_drops - i->drops_seen[1],
            };
            i->drops_seen[0] = os_drops;
            i->drops_seen[1] = interface_drops;
            policy_store_add(&i->store, i->handler, &more, set->now_ns);
        }
    }
    pthread_mutex_unlock(&set->lock);
}
