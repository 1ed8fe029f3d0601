// SPDX-License-Identifier: Apache-2.0
/* Hostile bytes as a message: all that can be read of it is read, and the time that it takes is in
 * proportion to its size. */
#include "proto/dns/dns_stage.h"

#include "proto/dns/dns_record.h"
#include "proto/dns/dns_suffix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_name(const struct dns_message *m, size_t at)
{
    struct dns_name name, lower;
    struct dns_domain domain;
    bool is_name = dns_name_read(m, at, false, &name);
    stage_require(dns_name_read(m, at, true, &lower) == is_name);
    if (is_name) {
        stage_require(name.size == lower.size && name.size <= DNS_NAME_ROOM && name.size > 0);
        stage_require(dns_name_skip(m->bytes, at) != 0);
        dns_suffix_split(&name, &domain);
        dns_name_tail(&name, 2);
    }
}

static void read_all(const struct dns_message *m)
{
    struct dns_walk walk = dns_walk_of(m);
    struct dns_edns edns;
    if (m->question_name != 0) {
        read_name(m, m->question_name);
        stage_require(dns_same_question(m, m));
    }
    for (struct dns_record record; dns_walk_next(&walk, &record);) {
        char room[DNS_RECORD_ROOM];
        struct dns_text text = dns_text_of(room, sizeof room);
        struct dns_parts parts;
        read_name(m, record.name);
        dns_record_parts(m, &record, &text, &parts);
        stage_require(parts.count > 0);
    }
    dns_edns_read(m, &edns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SLOWEST = 20000 /* ns a byte, with sanitizers and strangers on the processor */ };
    struct dns_message m;
    uint64_t start = stage_clock();
    dns_looks_like(span_of(data, size), 0);
    dns_looks_like(span_of(data, size), size + 1);
    if (dns_message_read(span_of(data, size), &m)) {
        read_all(&m);
    }
    stage_require(stage_clock() - start < SLOWEST * (size + 1000));
    return 0;
}
