// SPDX-License-Identifier: Apache-2.0
/* The settings of the handler of flows: which records it wants, how their addresses are summed up,
 * what devices and interfaces are called. Read once, constant from then on. */
#pragma once

#include "handler/flow_record.h"
#include "handler/handler.h"
#include "handler/hosts.h"

struct flow_range {
    uint32_t first, last;
};

struct flow_ranges {
    const struct flow_range *list;
    size_t count;
};

enum flow_summary_kind { FLOW_SUMMARY_NONE, FLOW_SUMMARY_OWNER, FLOW_SUMMARY_SUBNET };

struct flow_summary {
    enum flow_summary_kind kind;
    struct hosts excluded;
    struct hosts subnets;
    const char **subnet_texts;    /* of `subnets`, as they were written */
    uint8_t wildcard[2];          /* bits of what has no subnet of its own: IPv4, IPv6; 0: none */
    struct handler_words excluded_owners;
    bool excludes_unknown;
};

/* Which interfaces of a device are wanted. */
struct flow_wanted {
    struct flow_address device;
    struct flow_ranges interfaces;
};

struct flow_interface_name {
    uint32_t number;
    const char *name;
};

struct flow_device_name {
    struct flow_address device;
    const char *name;
    const struct flow_interface_name *interfaces;
    size_t count;
};

struct flow_settings {
    struct handler_settings common;
    bool scales; /* what was sampled is multiplied */
    bool no_input, no_output;
    bool is_nowhere, is_nobodys;
    bool has_wanted, has_ports;
    struct hosts only_hosts;
    struct flow_ranges only_ports;
    const struct flow_wanted *wanted;
    size_t wanted_count;
    struct flow_summary summary;
    const struct flow_device_name *devices; /* NULL: nothing is named */
    size_t device_count;
};

/* The hook `configure`. */
bool flow_settings_read(const struct handler_options *options, void *settings, struct err *err);

/* Whether a record is wanted, and then whether for its input and its output interface. */
bool flow_settings_take(const struct flow_settings *settings, const struct flow_record *record,
                        bool *ret_input, bool *ret_output);

/* What the user calls a device; NULL: nothing. */
const struct flow_device_name *flow_settings_device(const struct flow_settings *settings,
                                                    const struct flow_address *device);
/* ... and an interface of it (which may be NULL), else its number; `to` has `room` bytes. */
void flow_settings_interface(const struct flow_device_name *device, uint32_t number, char *to,
                             size_t room);
