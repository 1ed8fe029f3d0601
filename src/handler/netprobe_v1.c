// SPDX-License-Identifier: Apache-2.0
/* Whether targets answer, and how fast: pktvisor's "netprobe". */
#include <stdio.h>

#include "handler/handler.h"
#include "handler/probe_result.h"
#include "summary/quantiles.h"

enum { TARGETS = 256, NAME = 128 };
enum { COUNTERS = 1, HISTOGRAMS = 2, QUANTILES = 4 };

struct target {
    char name[NAME];
    uint64_t attempts, successes, connect_failures, lookup_failures, timeouts;
    uint64_t least, most; /* microseconds; made of `times` where they are merged */
    struct quantiles times;
};

struct netprobe {
    uint64_t lost; /* results of targets beyond those that can be told apart */
    uint32_t count;
    struct target targets[TARGETS];
};

struct netprobe_settings {
    struct handler_settings common;
    uint64_t life_ns; /* answers that come later are none; 0: as the input says */
};

static bool netprobe_configure(const struct handler_options *options, void *settings,
                               struct err *err)
{
    struct netprobe_settings *s = settings;
    uint64_t ms = handler_number(options, "xact_ttl_secs", 0) * 1000;
    (void)err;
    s->life_ns = handler_number(options, "xact_ttl_ms", ms) * UINT64_C(1000000);
    return true;
}

static struct target *find(struct netprobe *block, const char *name)
{
    for (uint32_t i = 0; i < block->count; i++) {
        if (strncmp(block->targets[i].name, name, NAME - 1) == 0) {
            return &block->targets[i];
        }
    }
    if (block->count == TARGETS) {
        return NULL;
    }
    struct target *target = &block->targets[block->count++];
    snprintf(target->name, sizeof target->name, "%s", name);
    return target;
}

static void set_bounds(struct target *target)
{
    target->least = target->times.count > 0 ? (uint64_t)target->times.min : 0;
    target->most = target->times.count > 0 ? (uint64_t)target->times.max : 0;
}

static void count(struct target *target, const struct netprobe_settings *settings,
                  const struct probe_result *result, bool is_deep)
{
    uint64_t time_us = result->time_ns / 1000;
    bool is_late = settings->life_ns > 0 && result->time_ns > settings->life_ns;
    switch (result->fate) {
    case PROBE_SENT:
        target->attempts++;
        break;
    case PROBE_ANSWERED:
        target->timeouts += is_late;
        target->successes += !is_late;
        if (is_deep && !is_late) {
            quantiles_add(&target->times, (double)time_us);
            set_bounds(target);
        }
        break;
    case PROBE_TIMED_OUT:
        target->timeouts++;
        break;
    case PROBE_NOT_FOUND:
        target->lookup_failures++;
        break;
    case PROBE_FAILED:
        target->connect_failures++;
        break;
    }
}

static bool netprobe_on_event(struct handler_run *run, struct handler_event *event)
{
    struct netprobe *block = run->block;
    if (event->result == NULL) {
        return false;
    }
    struct target *target = find(block, event->result->target);
    bool is_deep = handler_is_deep(run);
    if (target == NULL) {
        block->lost++;
        return false;
    }
    count(target, run->settings, event->result, is_deep);
    return true;
}

/* ---- The tables ----------------------------------------------------------------------------- */

#define AT(member) offsetof(struct target, member)
#define COUNT(name_, member, kind_, groups_, help_)                                                \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = AT(member), .unit = "", .help = help_,             \
        .group = "counters", .path = name_, .family = "netprobe_" name_, .groups = groups_         \
    }

static const struct metric target_metrics[] = {
    COUNT("attempts", attempts, METRIC_COUNTER, COUNTERS, "Total Net Probe attempts"),
    COUNT("successes", successes, METRIC_COUNTER, COUNTERS, "Total Net Probe successes"),
    COUNT("response_min_us", least, METRIC_PEAK, COUNTERS,
          "Minimum response time measured in the reporting interval"),
    COUNT("response_max_us", most, METRIC_PEAK, COUNTERS,
          "Maximum response time measured in the reporting interval"),
    COUNT("connect_failures", connect_failures, METRIC_COUNTER, COUNTERS,
          "Total Net Probe failures when performing a TCP socket connection"),
    COUNT("dns_lookup_failures", lookup_failures, METRIC_COUNTER, COUNTERS,
          "Total Net Probe failures when performing a DNS lookup"),
    COUNT("packets_timeout", timeouts, METRIC_COUNTER, COUNTERS,
          "Total Net Probe timeout transactions"),
    {.name = "response_quantiles_us", .kind = METRIC_QUANTILES, .offset = AT(times), .unit = "us",
     .help = "Net Probe quantile in microseconds", .group = "quantiles",
     .path = "response_quantiles_us", .family = "netprobe_response_quantiles_us",
     .groups = QUANTILES},
    {.name = "response_histogram_us", .kind = METRIC_VIEW, .offset = AT(times), .unit = "us",
     .help = "Net Probe histogram in microseconds", .group = "histograms",
     .path = "response_histogram_us", .family = "netprobe_response_histogram_us",
     .groups = HISTOGRAMS},
    {0},
};

static const struct metric_set target_set = {
    .name = "netprobe_target",
    .help = "Whether a target answers, and how fast",
    .metrics = target_metrics,
    .size = sizeof(struct target),
};

static void reset(void *block)
{
    struct netprobe *b = block;
    for (uint32_t i = 0; i < b->count; i++) {
        metric_block_reset(&target_set, &b->targets[i]);
    }
    b->count = 0;
}

static void merge(void *into, const void *from)
{
    struct netprobe *to = into;
    const struct netprobe *b = from;
    for (uint32_t i = 0; i < b->count; i++) {
        struct target *target = find(to, b->targets[i].name);
        if (target != NULL) {
            metric_block_merge(&target_set, target, &b->targets[i]);
            set_bounds(target);
        }
    }
}

static const struct metric netprobe_metrics[] = {
    {.name = "results_lost", .kind = METRIC_COUNTER, .unit = "results", .group = "counters",
     .offset = offsetof(struct netprobe, lost), .path = "results_lost",
     .family = "netprobe_results_lost", .groups = COUNTERS,
     .help = "Results of targets beyond those that can be told apart"},
    {0},
};

static const struct metric_set netprobe_set = {
    .name = "netprobe",
    .help = "Whether targets answer, and how fast",
    .metrics = netprobe_metrics,
    .size = sizeof(struct netprobe),
    .reset = reset,
    .merge = merge,
};

static bool target_part(const void *settings, const void *block, uint32_t outer, uint32_t number,
                        struct handler_part *ret)
{
    const struct netprobe *b = block;
    (void)settings;
    (void)outer;
    if (number >= b->count) {
        return false;
    }
    ret->block = &b->targets[number];
    snprintf(ret->name, sizeof ret->name, "%s", b->targets[number].name);
    snprintf(ret->label, sizeof ret->label, "%s", ret->name);
    return true;
}

static const struct handler_parts target_parts = {
    .key = "targets",
    .label = "target",
    .set = &target_set,
    .part = target_part,
};

static const struct handler_group netprobe_groups[] = {
    {"counters", true}, {"histograms", true}, {"quantiles", false}, {NULL, false}};

static const char *const netprobe_options[] = {
    "xact_ttl_secs", "xact_ttl_ms", "recorded_stream", "deep_sample_rate", "num_periods",
    "topn_count", "topn_percentile_threshold", NULL};

const struct handler handler_netprobe_v1 = {
    .type = "netprobe",
    .version = "1.0",
    .object = "netprobe",
    .title = "NetProbeStreamHandler",
    .inputs = HANDLER_NETPROBE,
    .set = &netprobe_set,
    .groups = netprobe_groups,
    .options = netprobe_options,
    .settings_size = sizeof(struct netprobe_settings),
    .configure = netprobe_configure,
    .on_event = netprobe_on_event,
    .parts = &target_parts,
};
