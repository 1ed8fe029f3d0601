// SPDX-License-Identifier: Apache-2.0
/* The classic BPF program that a live socket carries in the kernel: it leaves out what must not be
 * counted twice, applies the user's expression, compiled with libpcap for the link layer that the
 * frame has, and cuts frames to the snap length by its result (packet(7), socket(7)).
 *
 * Memory: the program, given back by socket_filter_done(). Any thread. */
#pragma once

#include <linux/filter.h>

#include "base/err.h"
#include "base/span.h"

struct socket_filter {
    struct sock_filter *code;
    uint16_t count;
};

struct socket_filter_options {
    const char *expression; /* pcap-filter(7), or NULL for everything */
    const char *interface;  /* NULL for all interfaces */
    uint16_t link;          /* LINKTYPE_ of its frames */
    uint32_t snap_len;
    bool ignore_outgoing;
};

/* Builds the program. A mistake in the expression is ERR_USAGE and names it. */
bool socket_filter_init(struct socket_filter *ret, const struct socket_filter_options *options,
                        struct err *err);

void socket_filter_done(struct socket_filter *filter);
