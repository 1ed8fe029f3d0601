// SPDX-License-Identifier: Apache-2.0
/* What an input costs, as looked at every five seconds. */
#include "handler/input_resources.h"

#include "handler/handler.h"

#define AT(member) offsetof(struct input_resources, member)
#define ROW(name_, kind_, member, family_, help_)                                                  \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = AT(member), .unit = "", .help = help_,             \
        .group = "resources", .path = name_, .family = family_                                     \
    }

static const struct metric resource_metrics[] = {
    ROW("cpu_usage", METRIC_QUANTILES, cpu, "resources_cpu_usage",
        "Quantiles of 5s averages of percent cpu usage by the input stream"),
    ROW("memory_bytes", METRIC_QUANTILES, memory, "resources_memory_bytes",
        "Quantiles  of 5s averages of memory usage (in bytes) by the input stream"),
    ROW("policy_count", METRIC_PEAK, policies, "resources_policy_count",
        "Total number of policies attached to the input stream"),
    ROW("handler_count", METRIC_PEAK, handlers, "resources_handler_count",
        "Total number of handlers attached to the input stream"),
    ROW("event_rate", METRIC_RATE, rate, "base_event_rate", "Rate of events"),
    ROW("total", METRIC_COUNTER, events, "base_total", "Total number of events"),
    ROW("deep_samples", METRIC_COUNTER, deep, "base_deep_samples", "Total number of deep samples"),
    {0},
};

static const struct metric_set resource_set = {
    .name = "input_resources",
    .help = "What an input costs",
    .metrics = resource_metrics,
    .size = sizeof(struct input_resources),
};

static const char *const resource_options[] = {"recorded_stream", "deep_sample_rate", "num_periods",
                                               "topn_count", "topn_percentile_threshold", NULL};

const struct handler handler_input_resources = {
    .type = "input_resources",
    .version = "1.0",
    .object = "input_resources",
    .title = "InputResourcesStreamHandler",
    .inputs = HANDLER_PCAP | HANDLER_DNSTAP | HANDLER_FLOW | HANDLER_NETPROBE | HANDLER_MOCK,
    .set = &resource_set,
    .options = resource_options,
};
