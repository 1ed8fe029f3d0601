// SPDX-License-Identifier: Apache-2.0
/* A datagram by which a device tells of flows (exports.h), and where the records in it go. */
#pragma once

#include "base/span.h"
#include "handler/flow_record.h"

struct export_datagram {
    struct span bytes;
    struct flow_address exporter; /* who sent it */
    uint16_t port;                /* from where */
    uint64_t time_ns;             /* when it came */
};

struct export_sink {
    void (*take)(void *context, const struct flow_record *record);
    void *context;
};
