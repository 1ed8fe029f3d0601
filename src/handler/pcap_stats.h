// SPDX-License-Identifier: Apache-2.0
/* The block of the handler "pcap": what a capture lost. The office fills it from the taps' counters,
 * an intake from its TCP connections. */
#pragma once

#include <stdint.h>

struct pcap_stats {
    uint64_t tcp_reassembly_errors;
    uint64_t os_drops;
    uint64_t if_drops;
};
