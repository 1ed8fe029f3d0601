// SPDX-License-Identifier: Apache-2.0
/* What a worker counts of TLS, and what users may choose. */
#pragma once

#include "proto/proto_option.h"

enum { TLS_VERSIONS = 6 };

struct tls_stats {
    uint64_t handshakes;
    uint64_t established;
    uint64_t failed;
    uint64_t resumed;
    uint64_t versions[TLS_VERSIONS];
    uint64_t client_certificates;
    uint64_t alerts;
    uint64_t unanswered;
    uint64_t malformed;
    uint64_t gaps;
    uint64_t gap_bytes;
    uint64_t oversized;
    uint64_t not_kept;
    uint64_t opened_bytes;
    uint64_t unopened;
};

struct tls_options {
    struct proto_settings settings;
    bool send_certificates;
    bool include_raw_certificates;
    bool include_detailed_fields;
    struct text_list fingerprints;
    bool ja3;
    bool ja3s;
    bool ja4;
    const char *key_log; /* read by the engine; struct proto_context has what is in it */
};
