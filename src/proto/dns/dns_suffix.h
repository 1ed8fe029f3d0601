// SPDX-License-Identifier: Apache-2.0
/* Where a name stops to be anybody's own: the public suffix list (publicsuffix.org), as libpsl carries
 * it, private domains included; names under no rule end in their last label. Some hundred nanoseconds;
 * no allocation for names that are ASCII, and dns_name makes no others. Thread safe. */
#pragma once

#include "proto/dns/dns_message.h"

/* The parts of a name, borrowed from its text; empty where there are none. */
struct dns_domain {
    struct span registered; /* example.co.uk of www.example.co.uk */
    struct span suffix;     /* co.uk */
    struct span subdomain;  /* www */
};

/* False for the root, for names that are a suffix themselves, and for single labels. */
bool dns_suffix_split(const struct dns_name *name, struct dns_domain *ret);
