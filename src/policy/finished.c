// SPDX-License-Identifier: Apache-2.0
#include "policy/finished.h"

#include <netinet/in.h>

#include "base/seconds.h"
#include "policy/policy_filter.h"

_Static_assert((int)INTAKE_TRANSACTION == HANDLER_TRANSACTION &&
                   (int)INTAKE_CONNECTION == HANDLER_CONNECTION,
               "the same to workers and to handlers");

enum { IP_SIZE = 20, IP6_SIZE = 40, TRANSPORT_SIZE = 20, TTL = 64, TCP_WORDS = 0x50 };

static void store_be16(uint8_t *to, size_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static size_t write_ip(uint8_t *to, const struct flow_key *key, unsigned source)
{
    to[0] = 0x45;
    store_be16(to + 2, IP_SIZE + TRANSPORT_SIZE);
    to[8] = TTL;
    to[9] = key->protocol;
    memcpy(to + 12, key->address[source], 4);
    memcpy(to + 16, key->address[1 - source], 4);
    return IP_SIZE;
}

static size_t write_ip6(uint8_t *to, const struct flow_key *key, unsigned source)
{
    to[0] = 0x60;
    store_be16(to + 4, TRANSPORT_SIZE);
    to[6] = key->protocol;
    to[7] = TTL;
    memcpy(to + 8, key->address[source], 16);
    memcpy(to + 24, key->address[1 - source], 16);
    return IP6_SIZE;
}

size_t finished_frame(uint8_t to[FINISHED_FRAME], const struct flow_key *key, unsigned source)
{
    memset(to, 0, FINISHED_FRAME);
    if (key->version != 4 && key->version != 6) {
        return 0;
    }
    size_t at = key->version == 4 ? write_ip(to, key, source) : write_ip6(to, key, source);
    store_be16(to + at, key->port[source]);
    store_be16(to + at + 2, key->port[1 - source]);
    if (key->protocol == IPPROTO_TCP) {
        to[at + 12] = TCP_WORDS;
    } else {
        store_be16(to + at + 4, TRANSPORT_SIZE); /* UDP's length */
    }
    return at + TRANSPORT_SIZE;
}

bool finished_passes(const struct policy_input *input, const struct intake_finished *finished)
{
    uint8_t frame[FINISHED_FRAME];
    bool passes = input->bpf == NULL;
    for (unsigned i = 0; i < 2 && !passes; i++) {
        size_t size = finished_frame(frame, finished->key, finished->client ^ i);
        passes = size > 0 && policy_filter_passes(input, FRAME_LINK_RAW, span_of(frame, size),
                                                 (uint32_t)size);
    }
    return passes;
}

struct handler_event finished_event(const struct intake_finished *finished)
{
    const struct flow_key *key = finished->key;
    unsigned client = finished->client;
    bool is_ip = key->version != 0;
    return (struct handler_event){
        .time_ns = finished->time_ns,
        .address = {is_ip ? key->address[client] : NULL, is_ip ? key->address[1 - client] : NULL},
        .port = {key->port[client], key->port[1 - client]},
        .kinds = finished->transaction != NULL ? HANDLER_TRANSACTION : HANDLER_CONNECTION,
        .version = key->version,
        .protocol = key->protocol,
        .transaction = finished->transaction,
        .connection = finished->connection,
        .gained = finished->gained != NULL ? finished->gained : finished->connection,
        .was_shown = finished->was_shown,
        .goes_on = finished->goes_on,
    };
}

void finished_show(const struct plan_input *input, struct handler_event *event)
{
    for (uint32_t c = input->packet_chains; c < input->chain_count; c++) {
        struct desk *desk = input->chains[c].desks[0];
        if (desk->handler->finished & event->kinds) {
            desk_count(desk, event, event->time_ns / SECOND_NS);
        }
    }
}
