// SPDX-License-Identifier: Apache-2.0
#include "policy/heritage.h"

#include "policy/policy_band.h"

static bool has_band(const struct policy_plan *plan, const struct policy_band *band)
{
    for (uint32_t i = plan->input_count; i < plan->total; i++) {
        if (plan->inputs[i].band == band) {
            return true;
        }
    }
    return false;
}

/* Whether a plan has bands that the other has not, of inputs over this source. */
static bool has_more(const struct policy_plan *plan, const struct policy_plan *other,
                     const char *source)
{
    for (uint32_t i = plan->input_count; i < plan->total; i++) {
        if (strcmp(plan->inputs[i].input->source, source) == 0 &&
            !has_band(other, plan->inputs[i].band)) {
            return true;
        }
    }
    return false;
}

/* Whether two desks are of instances that count the same in the same place of a chain. */
static bool are_alike(const struct plan_chain *a, const struct plan_chain *b, uint32_t d)
{
    return d < a->count && d < b->count &&
           a->instances[d]->handler == b->instances[d]->handler &&
           strcmp(a->instances[d]->key, b->instances[d]->key) == 0;
}

static void pass_chain(const struct plan_chain *from, const struct plan_chain *to)
{
    for (uint32_t d = 0; d < from->count; d++) {
        const struct handler *handler = from->desks[d]->handler;
        if (handler->inherit != NULL && are_alike(from, to, d) && from->desks[d] != to->desks[d]) {
            struct handler_run *run = &from->desks[d]->run;
            handler->inherit(run, run->state);
            handler->inherit(&to->desks[d]->run, run->state);
        }
    }
}

static void pass_input(const struct plan_input *from, const struct plan_input *to)
{
    uint32_t chains = from->packet_chains < to->packet_chains ? from->packet_chains
                                                              : to->packet_chains;
    for (uint32_t c = 0; c < chains; c++) {
        pass_chain(&from->chains[c], &to->chains[c]);
    }
}

void heritage_pass(const struct policy_plan *from, const struct policy_plan *to)
{
    for (uint32_t i = 0; i < from->total; i++) {
        const char *source = from->inputs[i].input->source;
        bool changes = from->inputs[i].input->kind == HANDLER_PCAP &&
                       (has_more(from, to, source) || has_more(to, from, source));
        for (uint32_t k = 0; k < to->total && changes; k++) {
            if (to->inputs[k].input->kind == HANDLER_PCAP &&
                strcmp(to->inputs[k].input->source, source) == 0) {
                pass_input(&from->inputs[i], &to->inputs[k]);
            }
        }
    }
}
