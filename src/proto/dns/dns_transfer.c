// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_transfer.h"

struct dns_transfer *dns_transfer_new(struct slab *memory, const struct dns_message *first,
                                      uint64_t bytes)
{
    struct dns_transfer *t = slab_take(memory, sizeof *t + first->bytes.size);
    if (t != NULL) {
        *t = (struct dns_transfer){.first_bytes = bytes, .size = (uint32_t)first->bytes.size};
        memcpy(t->first, first->bytes.data, first->bytes.size);
    }
    return t;
}

/* The serial of a SOA (RFC 1035 §3.3.13): behind two names. */
static bool read_serial(const struct dns_message *m, const struct dns_record *soa, uint32_t *ret)
{
    size_t end = (size_t)soa->data + soa->size;
    struct span bytes = span_head(m->bytes, end);
    size_t at = dns_name_skip(bytes, soa->data);
    at = at != 0 ? dns_name_skip(bytes, at) : 0;
    if (at == 0 || end - at < 20) {
        return false;
    }
    *ret = load_be32(bytes.data + at);
    return true;
}

/* Counts a record; false when it cannot be part of a transfer. */
static bool take_record(struct dns_transfer *t, const struct dns_message *m,
                        const struct dns_record *record, unsigned type)
{
    uint32_t serial = 0;
    bool is_soa = record->type == DNS_SOA && read_serial(m, record, &serial);
    if (t->records == 0) {
        t->serial = serial;
    } else if (t->records == 1) {
        t->is_incremental = is_soa && type == DNS_IXFR && serial != t->serial;
    }
    bool is_first_kind = is_soa && serial == t->serial;
    t->soas = (uint8_t)(t->soas + (is_first_kind && t->soas < UINT8_MAX));
    t->records += t->records < 2;
    return t->soas > 0;
}

bool dns_transfer_take(struct dns_transfer *t, const struct dns_message *m, unsigned type)
{
    bool is_first = t->records == 0;
    struct dns_walk walk = dns_walk_of(m);
    unsigned seen = 0;
    for (struct dns_record record; dns_walk_next(&walk, &record) && record.section == DNS_ANSWER;) {
        seen++;
        if (!take_record(t, m, &record, type)) {
            return true;
        }
    }
    /* Refused, or up to date: the answer to IXFR is then one SOA (RFC 1995 §4). */
    bool is_over = dns_rcode(m) != 0 || seen == 0 || (is_first && seen == 1 && type == DNS_IXFR);
    return is_over || t->soas >= (t->is_incremental ? 3 : 2);
}
