// SPDX-License-Identifier: Apache-2.0
/* What an input costs: the policy <input>-resources that each has, and the handlers that tell what the
 * capture lost. They see no packets: the office writes into their stores. */
#include "policy/policy_resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/seconds.h"
#include "handler/input_resources.h"
#include "policy/policy_handler.h"
#include "policy/policy_life.h"
#include "policy/policy_store.h"

enum { SAMPLE_SECONDS = 5 };

void policy_resources_add(struct policies *set, struct policy_input *input)
{
    char name[POLICY_NAME + 16];
    const struct handler *handler = handler_find("input_resources", "1.0");
    snprintf(name, sizeof name, "%s-resources", input->name);
    struct policy *policy = policy_new(name);
    policy->is_resources = true;
    policy->inputs = tree_take(policy->memory, sizeof *policy->inputs);
    policy->taps = tree_take(policy->memory, sizeof *policy->taps);
    policy->inputs[0] = input;
    policy->taps[0] = input->tap;
    policy->tap_count = 1;
    struct tree none = tree_map();
    const struct policy_module module = {.name = "resources", .handler = handler, .options = &none};
    if (handler == NULL || policy_add_instance(set, policy, input, &module, NULL) == NULL) {
        policy_free(policy);
        return;
    }
    input->resources = policy;
    policy->next = set->policies;
    set->policies = policy;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t memory_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fscanf(file, "%*u %lu", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void count_users(const struct policies *set, const struct policy_input *input,
                        struct input_resources *ret)
{
    for (const struct policy *p = set->policies; p != NULL; p = p->next) {
        bool uses = false;
        for (const struct policy_instance *i = p->instances; i != NULL; i = i->next) {
            uses |= i->input == input && !p->is_resources;
            ret->handlers += i->input == input && !p->is_resources;
        }
        ret->policies += uses;
    }
}

static void add_sample(struct policies *set, struct policy_instance *instance, double cpu,
                       uint64_t memory)
{
    uint64_t now_ns = policy_input_time(set, instance->input);
    now_ns = now_ns == 0 && instance->input->file == NULL ? set->now_ns : now_ns; /* it just began */
    struct input_resources *sample =
        now_ns != 0 || set->options.is_recorded ? calloc(1, sizeof *sample) : NULL;
    if (sample == NULL) {
        return;
    }
    const struct policy_input *input = instance->input;
    sample->events = 1;
    sample->deep = 1;
    quantiles_add(&sample->cpu, cpu);
    quantiles_add(&sample->memory, (double)memory);
    rate_add(&sample->rate, now_ns, 1);
    count_users(set, input, sample);
    policy_store_add(&instance->store, instance->handler, sample, now_ns);
    free(sample);
}

void policy_resources_sample(struct policies *set, bool last)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    uint64_t since = now - set->sampled_ns;
    bool first = set->sampled_ns == 0;
    if ((!last && !first && !set->has_changed && since < SAMPLE_SECONDS * SECOND_NS) ||
        (set->now_ns == 0 && !set->options.is_recorded)) {
        return; /* not yet: neither five seconds nor any packet time */
    }
    uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    double percent = first ? 0 : 100.0 * (double)(cpu - set->cpu_ns) / (double)since;
    uint64_t memory = memory_bytes();
    set->sampled_ns = now;
    set->has_changed = false;
    set->cpu_ns = cpu;
    for (struct policy *p = set->policies; p != NULL; p = p->next) {
        for (struct policy_instance *i = p->instances; i != NULL; i = i->next) {
            if (i->handler == handler_find("input_resources", "1.0")) {
                add_sample(set, i, percent, memory);
            }
        }
    }
}
