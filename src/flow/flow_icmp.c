// SPDX-License-Identifier: Apache-2.0
/* What ICMP errors say of the flow whose packet they quote. */
#include "flow/flow.h"

/* What it means to the sender, in words that are the same for both versions. */
enum icmp_word {
    WORD_NONE,
    WORD_NETWORK,
    WORD_HOST,
    WORD_PROTOCOL,
    WORD_PORT,
    WORD_TOO_BIG,
    WORD_ROUTE,
    WORD_PROHIBITED,
    WORD_TIME,
    WORD_OTHER,
};

/* RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
static enum icmp_word word_of_v4(unsigned type, unsigned code)
{
    static const uint8_t unreachable[16] = {
        WORD_NETWORK, WORD_HOST,       WORD_PROTOCOL,   WORD_PORT, WORD_TOO_BIG, WORD_ROUTE,
        WORD_NETWORK, WORD_HOST,       WORD_HOST,       WORD_PROHIBITED, WORD_PROHIBITED,
        WORD_NETWORK, WORD_HOST,       WORD_PROHIBITED, WORD_PROHIBITED, WORD_PROHIBITED,
    };
    if (type == 3 && code < sizeof unreachable) {
        return (enum icmp_word)unreachable[code];
    }
    return type == 11 ? WORD_TIME : WORD_OTHER;
}

/* RFC 4443 §3. */
static enum icmp_word word_of_v6(unsigned type, unsigned code)
{
    static const uint8_t unreachable[7] = {WORD_NETWORK, WORD_PROHIBITED, WORD_HOST,   WORD_HOST,
                                           WORD_PORT,    WORD_PROHIBITED, WORD_NETWORK};
    if (type == 1 && code < sizeof unreachable) {
        return (enum icmp_word)unreachable[code];
    }
    return type == 2 ? WORD_TOO_BIG : type == 3 ? WORD_TIME : WORD_OTHER;
}

void flow_note_icmp(struct flow_table *table, flow_index index, const struct packet *error)
{
    struct flow_cold *cold = flow_cold_at(table, index);
    if (cold->icmp_errors < UINT16_MAX) {
        cold->icmp_errors++;
    }
    cold->icmp_error = (uint8_t)(error->class == PACKET_ICMP
                                     ? word_of_v4(error->icmp_type, error->icmp_code)
                                     : word_of_v6(error->icmp_type, error->icmp_code));
}

const char *flow_icmp_error_name(const struct flow_cold *cold)
{
    static const char *const names[] = {
        [WORD_NONE] = NULL,
        [WORD_NETWORK] = "network_unreachable",
        [WORD_HOST] = "host_unreachable",
        [WORD_PROTOCOL] = "protocol_unreachable",
        [WORD_PORT] = "port_unreachable",
        [WORD_TOO_BIG] = "fragmentation_needed",
        [WORD_ROUTE] = "source_route_failed",
        [WORD_PROHIBITED] = "admin_prohibited",
        [WORD_TIME] = "time_exceeded",
        [WORD_OTHER] = "other",
    };
    return names[cold->icmp_error];
}
