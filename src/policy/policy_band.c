// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_band.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#include "policy/policy_parcel.h"

enum { WORD = 64 };

/* ---- Filters -------------------------------------------------------------------------------- */

static bool is_known(const char *word)
{
    static const char *const words[] = {"and", "or",   "not",  "ip",        "ip6",  "udp", "tcp",
                                        "sctp", "icmp", "icmp6", "port", "portrange", "host", "net"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return isdigit((unsigned char)*word) || strchr(word, ':') != NULL; /* a number, an address */
}

/* Whether all words of a filter are known; src and dst are where ways count. */
static bool is_of_words(const char *filter, bool has_ways)
{
    static const char between[] = " \t\r\n()!&|";
    char word[WORD];
    while (filter != NULL && *filter != '\0') {
        filter += strspn(filter, between);
        size_t size = strcspn(filter, between);
        if (size >= sizeof word || strcspn(filter, "[]<>=+*") < size) {
            return false;
        }
        memcpy(word, filter, size);
        word[size] = '\0';
        bool is_way = strcmp(word, "src") == 0 || strcmp(word, "dst") == 0;
        if (size > 0 && !is_known(word) && !(has_ways && is_way)) {
            return false;
        }
        filter += size;
    }
    return true;
}

bool policy_band_is_by_talk(const char *filter)
{
    return is_of_words(filter, false);
}

bool policy_band_is_by_key(const char *filter)
{
    return is_of_words(filter, true);
}

/* ---- Kin ------------------------------------------------------------------------------------ */

static void *need(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static bool can_share(const struct handler *handler)
{
    return handler->sharing == HANDLER_BY_TALK ||
           (handler->sharing == HANDLER_BY_READER && !handler->reader->is_tcp);
}

static bool are_chains_alike(const struct plan_chain *a, const struct plan_chain *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->instances[i]->handler != b->instances[i]->handler ||
            !can_share(a->instances[i]->handler) ||
            strcmp(a->instances[i]->key, b->instances[i]->key) != 0) {
            return false;
        }
    }
    return true;
}

static bool are_kin(const struct plan_input *a, const struct plan_input *b)
{
    const struct policy_input *x = a->input, *y = b->input;
    if (x->kind != HANDLER_PCAP || y->kind != HANDLER_PCAP || !x->is_by_talk || !y->is_by_talk ||
        strcmp(x->source, y->source) != 0 || x->slot != y->slot ||
        x->connections != y->connections || memcmp(&x->hosts, &y->hosts, sizeof x->hosts) != 0 ||
        a->packet_chains != b->packet_chains || a->packet_chains == 0) {
        return false;
    }
    for (uint32_t c = 0; c < a->packet_chains; c++) {
        if (!are_chains_alike(&a->chains[c], &b->chains[c])) {
            return false;
        }
    }
    return true;
}

/* ---- Bands ---------------------------------------------------------------------------------- */

static uint32_t size_of(const struct plan_input *input)
{
    uint32_t size = 0;
    for (uint32_t c = 0; c < input->packet_chains; c++) {
        size += input->chains[c].count;
    }
    return size;
}

/* The instances of a group as a band keeps them; to be freed. */
static struct policy_instance **list_instances(const struct policy_plan *plan,
                                               const struct plan_group *group, uint32_t size)
{
    assert(size > 0); /* kin have chains */
    struct policy_instance **list = need(calloc((size_t)group->count * size, sizeof *list));
    struct policy_instance **at = list;
    for (uint32_t m = 0; m < group->count; m++) {
        const struct plan_input *input = &plan->inputs[group->members[m]];
        for (uint32_t c = 0; c < input->packet_chains; c++) {
            memcpy(at, input->chains[c].instances, input->chains[c].count * sizeof *at);
            at += input->chains[c].count;
        }
    }
    return list;
}

static void band_free(struct policy_band *band)
{
    for (uint32_t i = 0; i < band->size; i++) {
        desk_free(band->desks[i]);
    }
    free(band->instances);
    free(band->desks);
    free(band->mates);
    free(band);
}

/* A band that is there for these instances and that no plan has yet, or a new one. Takes the list. */
static struct policy_band *take_band(struct policies *set, uint32_t slot, uint32_t members,
                                     uint32_t size, struct policy_instance **instances)
{
    size_t bytes = (size_t)members * size * sizeof *instances;
    for (struct policy_band *b = set->bands; b != NULL; b = b->next) {
        if (!b->is_wanted && b->slot == slot && b->members == members && b->size == size &&
            memcmp(b->instances, instances, bytes) == 0) {
            free(instances);
            b->is_wanted = true;
            return b;
        }
    }
    struct policy_band *band = need(calloc(1, sizeof *band));
    band->next = set->bands;
    set->bands = band;
    band->slot = slot;
    band->members = members;
    band->size = size;
    band->instances = instances;
    band->desks = need(calloc(size, sizeof(struct desk *)));
    band->mates = need(calloc((size_t)members * size, sizeof(struct handler_run *)));
    band->is_wanted = true;
    for (uint32_t i = 0; i < size; i++) {
        const struct policy_instance *first = instances[i];
        band->desks[i] = need(desk_new(first->handler, first->settings,
                                       first->desks[slot]->run.takes_messages));
    }
    return band;
}

/* Adds a band to a plan: an input of its own, with the chains of the group's first member. */
static void add_band(struct policy_plan *plan, const struct plan_group *group,
                     struct policy_band *band)
{
    struct plan_input to = plan->inputs[group->members[0]];
    uint32_t at = 0;
    to.band = band;
    to.group = 0;
    to.chain_count = to.packet_chains;
    struct plan_chain *chains = need(calloc(to.chain_count, sizeof *chains));
    for (uint32_t c = 0; c < to.chain_count; c++) {
        const struct plan_chain *from = &to.chains[c];
        size_t bytes = from->count * sizeof(void *);
        chains[c].count = from->count;
        chains[c].desks = memcpy(need(malloc(bytes)), band->desks + at, bytes);
        chains[c].settings = memcpy(need(malloc(bytes)), from->settings, bytes);
        chains[c].instances = memcpy(need(malloc(bytes)), from->instances, bytes);
        at += from->count;
    }
    to.chains = chains;
    plan->inputs = need(realloc(plan->inputs, (plan->total + 1) * sizeof to));
    plan->inputs[plan->total++] = to;
}

/* What is read by these is no conversation's. */
static void note_readers(const struct plan_input *input, struct plan_group *group)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < input->packet_chains; c++) {
        for (uint32_t d = 0; d < input->chains[c].count && count < PLAN_ALONE; d++) {
            const struct handler *handler = input->chains[c].instances[d]->handler;
            if (handler->sharing == HANDLER_BY_READER) {
                group->alone[count++] = handler->reader;
            }
        }
    }
}

static void add_group(struct policies *set, struct policy_plan *plan, struct plan_group *group,
                      uint32_t slot)
{
    uint32_t size = size_of(&plan->inputs[group->members[0]]);
    note_readers(&plan->inputs[group->members[0]], group);
    group->first = plan->total;
    for (uint32_t m = 0; m < group->count; m++) {
        plan->inputs[group->members[m]].group = plan->group_count + 1;
        plan->inputs[group->members[m]].member = m;
    }
    for (; group->bands < PLAN_BANDS; group->bands++) {
        struct policy_instance **list = list_instances(plan, group, size);
        add_band(plan, group, take_band(set, slot, group->count, size, list));
    }
    plan->groups[plan->group_count++] = *group;
}

void policy_band_plan(struct policies *set, struct policy_plan *plan, uint32_t slot)
{
    plan->total = plan->input_count;
    for (uint32_t i = 0; i < plan->input_count && plan->group_count < PLAN_GROUPS &&
                         plan->total + PLAN_BANDS <= PLAN_INPUTS;
         i++) {
        struct plan_group group = {.members = {i}, .count = 1};
        for (uint32_t k = i + 1; plan->inputs[i].group == 0 && k < plan->input_count &&
                                 k < PLAN_INPUTS && group.count < PLAN_MEMBERS;
             k++) {
            if (plan->inputs[k].group == 0 && are_kin(&plan->inputs[i], &plan->inputs[k])) {
                group.members[group.count++] = k;
            }
        }
        if (group.count > 1) {
            add_group(set, plan, &group, slot);
        }
    }
}

/* ---- The worker ----------------------------------------------------------------------------- */

/* Makes a free band that of a set of members. */
static void assign(struct policy_band *band, uint64_t mask)
{
    for (uint32_t i = 0; i < band->size; i++) {
        struct handler_run *run = &band->desks[i]->run;
        run->mates = band->mates + (size_t)i * band->members;
        for (uint32_t m = 0; m < band->members; m++) {
            if (mask >> m & 1) {
                const struct policy_instance *instance = band->instances[m * band->size + i];
                run->mates[run->mate_count++] = &instance->desks[band->slot]->run;
            }
        }
    }
    atomic_store_explicit(&band->mask, mask, memory_order_release);
}

/* Whether an event may be no conversation's, or of one whose packets pass filters differently. */
static bool is_alone(const struct plan_group *group, const struct handler_event *event)
{
    bool is_read = false;
    for (unsigned i = 0; i < PLAN_ALONE && group->alone[i] != NULL; i++) {
        is_read |= handler_reads(group->alone[i], event);
    }
    return is_read || event->packet->tunnel_depth > 0;
}

uint32_t policy_band_find(const struct policy_plan *plan, const struct plan_group *group,
                          uint64_t mask, const struct handler_event *event)
{
    if ((mask & (mask - 1)) == 0 || is_alone(group, event)) {
        return 0;
    }
    for (uint32_t i = group->first; i < group->first + group->bands; i++) {
        struct policy_band *band = plan->inputs[i].band;
        uint64_t there = atomic_load_explicit(&band->mask, memory_order_relaxed);
        if (there == 0) {
            assign(band, mask);
            return i;
        }
        if (there == mask) {
            return i;
        }
    }
    return 0;
}

/* ---- The office ----------------------------------------------------------------------------- */

static void add_parcel(const struct policy_band *band, uint32_t position, struct parcel *parcel)
{
    uint64_t mask = atomic_load_explicit(&band->mask, memory_order_relaxed);
    for (uint32_t m = 0; m < band->members; m++) {
        struct policy_instance *instance = band->instances[m * band->size + position];
        if ((mask >> m & 1) && instance != NULL) {
            policy_parcel_add(instance, parcel);
        }
    }
}

static uint32_t collect(const struct policy_band *band)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < band->size; i++) {
        struct desk *desk = band->desks[i];
        struct parcel *parcel = atomic_exchange_explicit(&desk->ready, NULL, memory_order_acquire);
        if (parcel != NULL) {
            add_parcel(band, i, parcel);
            policy_parcel_return(desk, parcel);
            count++;
        }
    }
    return count;
}

static void finish(const struct policy_band *band)
{
    collect(band);
    for (uint32_t i = 0; i < band->size; i++) {
        desk_close(band->desks[i]);
        add_parcel(band, i, band->desks[i]->filling);
        policy_parcel_empty(band->desks[i]->handler, band->desks[i]->filling);
    }
}

uint32_t policy_band_collect(struct policies *set)
{
    uint32_t count = 0;
    for (struct policy_band *band = set->bands; band != NULL; band = band->next) {
        count += collect(band);
    }
    return count;
}

void policy_band_finish(struct policies *set)
{
    for (struct policy_band *band = set->bands; band != NULL; band = band->next) {
        finish(band);
    }
}

/* ---- Changes -------------------------------------------------------------------------------- */

void policy_band_replace(struct policies *set, const struct policy_instance *instance,
                         struct policy_instance *heir)
{
    for (struct policy_band *band = set->bands; band != NULL; band = band->next) {
        for (size_t i = 0; i < (size_t)band->members * band->size; i++) {
            if (band->instances[i] == instance) {
                band->instances[i] = heir;
            }
        }
    }
}

void policy_band_mark(struct policies *set)
{
    for (struct policy_band *band = set->bands; band != NULL; band = band->next) {
        band->is_wanted = false;
    }
}

void policy_band_sweep(struct policies *set, uint32_t slot)
{
    for (struct policy_band **at = &set->bands; *at != NULL;) {
        struct policy_band *band = *at;
        if (band->slot == slot && !band->is_wanted) {
            finish(band);
            *at = band->next;
            band_free(band);
        } else {
            at = &band->next;
        }
    }
}

void policy_band_free_all(struct policies *set)
{
    while (set->bands != NULL) {
        struct policy_band *band = set->bands;
        set->bands = band->next;
        band_free(band);
    }
}
