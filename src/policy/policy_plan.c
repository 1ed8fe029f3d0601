// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_plan.h"

#include <stdlib.h>
#include <time.h>

#include "policy/policy_band.h"

enum { WAIT_NS = 1000000, WAITS = 5000 /* five seconds, then a worker is given up */ };

void policy_plan_free(struct policy_plan *plan)
{
    for (uint32_t i = 0; plan != NULL && i < plan->total; i++) {
        for (uint32_t c = 0; c < plan->inputs[i].chain_count; c++) {
            free(plan->inputs[i].chains[c].instances);
            free(plan->inputs[i].chains[c].desks);
            free(plan->inputs[i].chains[c].settings);
        }
        free(plan->inputs[i].chains);
    }
    if (plan != NULL) {
        free(plan->inputs);
    }
    free(plan);
}

static void *need(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* Whether a handler before this one in its chain lets messages through, where there were packets. */
static bool takes_messages(const struct policy_instance *instance)
{
    for (const struct policy_instance *i = instance->policy->instances; i != instance;
         i = i->next) {
        if (i->chain == instance->chain && i->handler->reader != NULL) {
            return true;
        }
    }
    return false;
}

/* Whether an instance is alone in its chain: what it sees is what its input lets through. What sees
 * finished things is, wherever it stands. */
static bool is_alone(const struct policy_instance *instance)
{
    if (instance->handler->finished != 0) {
        return true;
    }
    for (const struct policy_instance *i = instance->policy->instances; i != NULL; i = i->next) {
        if (i != instance && i->chain == instance->chain) {
            return false;
        }
    }
    return true;
}

static bool has_desks(const struct policy_instance *instance)
{
    for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
        if (instance->desks[i] != NULL) {
            return true;
        }
    }
    return false;
}

/* Another instance, earlier in the set's order, that counts the very same. */
static struct policy_instance *find_twin(const struct policies *set,
                                         const struct policy_instance *instance)
{
    for (struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            if (i != instance && i->leader == NULL && i->handler == instance->handler &&
                i->input == instance->input && strcmp(i->key, instance->key) == 0 && is_alone(i)) {
                return i;
            }
        }
    }
    return NULL;
}

/* Instances that would count the same as another one let that one count for them. */
static void find_leaders(struct policies *set)
{
    for (struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            bool is_new = i->leader == NULL && i->followers == NULL && !has_desks(i);
            struct policy_instance *twin = is_new && is_alone(i) ? find_twin(set, i) : NULL;
            if (twin != NULL) {
                i->leader = twin;
                i->next_follower = twin->followers;
                twin->followers = i;
            }
        }
    }
}

void policy_plan_leave(struct policy_instance *instance)
{
    struct policy_instance *heir = instance->followers;
    if (instance->leader != NULL) {
        struct policy_instance **at = &instance->leader->followers;
        while (*at != instance) {
            at = &(*at)->next_follower;
        }
        *at = instance->next_follower;
        instance->leader = NULL;
    } else if (heir != NULL) {
        memcpy(heir->desks, instance->desks, sizeof heir->desks);
        memset(instance->desks, 0, sizeof instance->desks);
        heir->leader = NULL;
        heir->followers = heir->next_follower;
        heir->next_follower = NULL;
        for (struct policy_instance *i = heir->followers; i != NULL; i = i->next_follower) {
            i->leader = heir;
        }
        instance->followers = NULL;
    }
}

static struct desk *desk_of(struct policy_instance *instance, uint32_t slot)
{
    if (instance->desks[slot] == NULL) {
        instance->desks[slot] =
            need(desk_new(instance->handler, instance->settings, takes_messages(instance)));
    }
    return instance->desks[slot];
}

/* Adds an instance to the plan of its input: to the chain at hand, or as a new one. */
static void add_instance(struct policy_plan *plan, struct plan_input *to,
                         struct policy_instance *instance, bool begins, uint32_t slot)
{
    const struct handler_reader *reader = instance->handler->reader;
    if (begins || to->chain_count == 0) {
        to->chains = need(realloc(to->chains, (to->chain_count + 1) * sizeof *to->chains));
        to->chains[to->chain_count++] = (struct plan_chain){0};
    }
    struct plan_chain *chain = &to->chains[to->chain_count - 1];
    chain->desks = need(realloc(chain->desks, (chain->count + 1) * sizeof(struct desk *)));
    chain->settings = need(realloc(chain->settings, (chain->count + 1) * sizeof(void *)));
    chain->instances = need(realloc(chain->instances, (chain->count + 1) * sizeof(void *)));
    chain->instances[chain->count] = instance;
    chain->settings[chain->count] = instance->settings;
    chain->desks[chain->count++] = desk_of(instance, slot);
    if (reader != NULL && reader->size > plan->message_size) {
        plan->message_size = reader->size;
    }
    for (uint32_t i = 0; reader != NULL && reader->is_tcp && i < PLAN_STREAMS; i++) {
        if (to->streams[i] == NULL || to->streams[i] == reader) {
            to->streams[i] = reader;
            break;
        }
    }
}

static bool has_desk(const struct policy_instance *instance, const struct policy_input *input)
{
    return instance->input == input && instance->handler->on_event != NULL &&
           instance->leader == NULL;
}

static void add_finished(struct policies *set, struct policy_plan *plan, struct plan_input *to,
                         uint32_t slot)
{
    for (struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            if (has_desk(i, to->input) && i->handler->finished != 0) {
                add_instance(plan, to, i, true, slot);
                plan->finished |= i->handler->finished;
            }
        }
    }
}

/* One that nobody uses any more is about to go. */
static bool is_used(const struct policies *set, const struct policy_input *input)
{
    for (const struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        for (const struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            if (i->input == input && !policy->is_resources) {
                return true;
            }
        }
    }
    return false;
}

static void add_input(struct policies *set, struct policy_plan *plan, struct policy_input *input,
                      uint32_t slot)
{
    struct plan_input to = {.input = input};
    for (struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        uint32_t last = UINT32_MAX;
        for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            if (has_desk(i, input) && i->handler->finished == 0) {
                add_instance(plan, &to, i, i->chain != last, slot);
                last = i->chain;
            }
        }
    }
    to.packet_chains = to.chain_count;
    add_finished(set, plan, &to, slot);
    plan->inputs = need(realloc(plan->inputs, (plan->input_count + 1) * sizeof to));
    plan->inputs[plan->input_count++] = to;
}

static struct policy_plan *make_plan(struct policies *set, uint32_t slot)
{
    struct policy_plan *plan = need(calloc(1, sizeof *plan));
    for (struct policy_input *input = set->inputs; input != NULL; input = input->next) {
        bool is_mine =
            input->slot == POLICY_WORKERS ? slot < set->options.slots : input->slot == slot;
        if (is_mine && is_used(set, input)) {
            add_input(set, plan, input, slot);
        }
    }
    policy_band_plan(set, plan, slot);
    return plan;
}

static bool is_slot(const struct policies *set, uint32_t slot)
{
    bool is_used = slot < set->options.slots || atomic_load(&set->slots[slot].is_used);
    for (const struct policy_input *i = set->inputs; i != NULL && !is_used; i = i->next) {
        is_used = i->slot == slot;
    }
    return is_used;
}

void policy_plan_publish(struct policies *set)
{
    struct policy_plan *old[POLICY_SLOTS] = {0};
    pthread_mutex_lock(&set->lock);
    find_leaders(set);
    policy_band_mark(set);
    for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
        if (is_slot(set, i) || atomic_load(&set->slots[i].wanted) != NULL) {
            old[i] = atomic_exchange(&set->slots[i].wanted, make_plan(set, i));
        }
    }
    pthread_mutex_unlock(&set->lock);
    for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
        struct policy_slot *slot = &set->slots[i];
        unsigned waits = 0;
        while (atomic_load(&slot->is_used) &&
               atomic_load(&slot->taken) != atomic_load(&slot->wanted) && waits++ < WAITS) {
            nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        }
        if (waits <= WAITS) {
            policy_plan_free(old[i]);
            pthread_mutex_lock(&set->lock);
            policy_band_sweep(set, i);
            pthread_mutex_unlock(&set->lock);
        }
    }
}
