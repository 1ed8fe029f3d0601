// SPDX-License-Identifier: Apache-2.0
/* What a worker counts of QUIC, and what users may choose. */
#pragma once

#include "proto/proto_option.h"

enum { QUIC_VERSIONS = 4 };

struct quic_stats {
    uint64_t handshakes;
    uint64_t established;
    uint64_t failed;
    uint64_t versions[QUIC_VERSIONS];
    uint64_t retries;
    uint64_t negotiations;
    uint64_t unanswered;
    uint64_t unopened;
    uint64_t malformed;
    uint64_t not_kept;
};

struct quic_options {
    struct proto_settings settings;
    bool include_detailed_fields;
    bool ja3;
    bool ja3s;
    bool ja4;
};
