// SPDX-License-Identifier: Apache-2.0
#include "handler/pcap_stats.h"

#include "handler/handler.h"

#define ROW(name_, help_)                                                                          \
    {                                                                                              \
        .name = #name_, .kind = METRIC_COUNTER, .offset = offsetof(struct pcap_stats, name_),      \
        .unit = "packets", .help = help_, .group = "counters", .path = #name_,                     \
        .family = "pcap_" #name_                                                                   \
    }

static const struct metric pcap_metrics[] = {
    ROW(tcp_reassembly_errors, "Count of TCP reassembly errors"),
    ROW(os_drops, "Count of packets dropped by the operating system (if supported)"),
    ROW(if_drops, "Count of packets dropped by the interface (if supported)"),
    {0},
};

static const struct metric_set pcap_set = {
    .name = "pcap",
    .help = "What the capture lost",
    .metrics = pcap_metrics,
    .size = sizeof(struct pcap_stats),
};

static const char *const pcap_options[] = {"recorded_stream", "deep_sample_rate", "num_periods",
                                           "topn_count", "topn_percentile_threshold", NULL};

const struct handler handler_pcap_stats = {
    .type = "pcap",
    .version = "1.0",
    .object = "pcap",
    .title = "PcapStreamHandler",
    .inputs = HANDLER_PCAP,
    .set = &pcap_set,
    .options = pcap_options,
};
