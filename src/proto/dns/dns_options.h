// SPDX-License-Identifier: Apache-2.0
/* What users may choose about DNS events; Packetbeat's names. */
#pragma once

#include "proto/proto_option.h"

struct dns_options {
    struct proto_settings settings;
    bool include_authorities; /* the records of these sections, too, not only their number */
    bool include_additionals;
};

extern const struct proto_option dns_option_rows[];
