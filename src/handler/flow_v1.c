// SPDX-License-Identifier: Apache-2.0
/* Flows that devices tell of (NetFlow, IPFIX, sFlow): counted by device and interface, with the heaviest
 * addresses, ports, conversations and places of each. pktvisor's "flow". */
#include "handler/flow_names.h"
#include "handler/flow_block.h"
#include "summary/metric.h"

#include <stdio.h>

#include "base/address.h"

enum { TCP = 6, UDP = 17 };

/* A record on its way into the block. */
struct count {
    const struct flow_settings *settings;
    const struct flow_record *record;
    uint64_t amount[FLOW_MEASURES];
    struct flow_names names;
    struct geo_place place[2], owner[2];
    uint32_t groups;
    bool is_deep;
};

static const uint32_t measure_groups[FLOW_MEASURES] = {FLOW_BY_BYTES, FLOW_BY_PACKETS};

static bool wants(const struct count *c, uint32_t groups)
{
    return (c->groups & groups) == groups;
}

static void add_text(struct topn *top, const char *text, uint64_t weight)
{
    if (*text != '\0') {
        handler_add_name(top, span_str(text), weight);
    }
}

/* ---- One interface -------------------------------------------------------------------------- */

static void count_side(const struct count *c, struct flow_side *side, uint64_t amount)
{
    const struct flow_record *r = c->record;
    side->total += amount;
    side->ipv4 += r->source.version == 4 ? amount : 0;
    side->ipv6 += r->source.version == 6 ? amount : 0;
    side->udp += r->protocol == UDP ? amount : 0;
    side->tcp += r->protocol == TCP ? amount : 0;
    side->other_l4 += r->protocol != UDP && r->protocol != TCP ? amount : 0;
}

static void rank_side(const struct count *c, struct flow_side *side, uint64_t amount)
{
    const struct flow_names *n = &c->names;
    if (wants(c, FLOW_TOP_IPS)) {
        add_text(&side->src_ips, n->address[0], amount);
        add_text(&side->dst_ips, n->address[1], amount);
    }
    if (wants(c, FLOW_TOP_PORTS)) {
        add_text(&side->src_ports, n->port[0], amount);
        add_text(&side->dst_ports, n->port[1], amount);
    }
    if (wants(c, FLOW_TOP_IPS_PORTS)) {
        add_text(&side->src_ip_ports, n->end[0], amount);
        add_text(&side->dst_ip_ports, n->end[1], amount);
    }
    if (wants(c, FLOW_TOP_TOS)) {
        char dscp[16];
        flow_names_dscp(c->record->tos, dscp, sizeof dscp);
        add_text(&side->dscp, dscp, amount);
        add_text(&side->ecn, flow_names_ecn(c->record->tos), amount);
    }
}

static void rank_both(const struct count *c, struct flow_both *both, uint64_t amount)
{
    const struct handler_world *world = c->settings->common.world;
    if (wants(c, FLOW_CONVERSATIONS)) {
        add_text(&both->conversations, c->names.conversation, amount);
    }
    for (unsigned end = 0; end < 2 && wants(c, FLOW_TOP_GEO); end++) {
        if (world->city != NULL && c->names.address[end][0] != '\0') {
            handler_add_place(&both->places, &c->place[end], amount);
        }
        if (world->owner != NULL && c->names.address[end][0] != '\0') {
            handler_add_place(&both->owners, &c->owner[end], amount);
        }
    }
}

static void add_distinct(struct cardinality *distinct, const struct flow_address *address)
{
    char text[ADDRESS_ROOM];
    char *end = address_write(text, address->version, address->bytes);
    cardinality_add_coupon(distinct, handler_text_coupon(span_of(text, (size_t)(end - text))));
}

static void add_port(struct cardinality *distinct, uint16_t port)
{
    if (port != 0) {
        cardinality_add_coupon(distinct, handler_text_coupon(span_of(&port, sizeof port)));
    }
}

/* Addresses and ports of all records that pass the interface, in either direction: the names of these
 * metrics say less than pktvisor counts. */
static void tell_apart(const struct count *c, struct flow_interface *interface)
{
    const struct flow_record *r = c->record;
    if (c->names.address[0][0] != '\0') {
        add_distinct(&interface->source_ips, &r->source);
    }
    if (c->names.address[1][0] != '\0') {
        add_distinct(&interface->destination_ips, &r->destination);
    }
    add_port(&interface->source_ports, r->source_port);
    add_port(&interface->destination_ports, r->destination_port);
    if (wants(c, FLOW_CONVERSATIONS) && c->names.conversation[0] != '\0') {
        cardinality_add_coupon(&interface->conversations,
                               handler_text_coupon(span_str(c->names.conversation)));
    }
}

static void count_interface(const struct count *c, struct flow_interface *interface,
                            unsigned direction)
{
    for (unsigned m = 0; m < FLOW_MEASURES; m++) {
        if (!wants(c, measure_groups[m])) {
            continue;
        }
        count_side(c, &interface->sides[direction][m], c->amount[m]);
        if (c->is_deep) {
            rank_side(c, &interface->sides[direction][m], c->amount[m]);
            rank_both(c, &interface->both[m], c->amount[m]);
        }
    }
    if (c->is_deep && wants(c, FLOW_CARDINALITY)) {
        tell_apart(c, interface);
    }
}

/* ---- One record ----------------------------------------------------------------------------- */

static void look_up(struct count *c)
{
    const struct handler_world *world = c->settings->common.world;
    const struct flow_address *const ends[2] = {&c->record->source, &c->record->destination};
    for (unsigned i = 0; i < 2 && wants(c, FLOW_TOP_GEO); i++) {
        if (world->city != NULL && ends[i]->version != 0) {
            geo_city(world->city, ends[i]->version, ends[i]->bytes, &c->place[i]);
        }
        if (world->owner != NULL && ends[i]->version != 0) {
            geo_owner(world->owner, ends[i]->version, ends[i]->bytes, &c->owner[i]);
        }
    }
}

static void rank_interface(const struct count *c, struct flow_device *device, unsigned direction,
                           uint32_t number)
{
    struct topn *const tops[FLOW_DIRECTIONS][FLOW_MEASURES] = {
        {&device->in_bytes, &device->in_packets}, {&device->out_bytes, &device->out_packets}};
    char name[FLOW_KEY_SHORT];
    if (!c->is_deep || !wants(c, FLOW_TOP_INTERFACES)) {
        return;
    }
    flow_settings_interface(flow_settings_device(c->settings, &device->address), number, name,
                            sizeof name);
    for (unsigned m = 0; m < FLOW_MEASURES; m++) {
        if (wants(c, measure_groups[m])) {
            add_text(tops[direction][m], name, c->amount[m]);
        }
    }
}

static void count_direction(const struct count *c, struct flow_block *table,
                            struct flow_device *device, unsigned direction)
{
    uint32_t number = direction == FLOW_IN ? c->record->input : c->record->output;
    struct flow_interface *interface = flow_block_interface(table, device, number);
    if (interface == NULL) {
        table->lost++;
        return;
    }
    count_interface(c, interface, direction);
    rank_interface(c, device, direction, number);
}

static void begin(const struct handler_run *run, const struct flow_record *record, bool is_deep,
                  struct count *c)
{
    c->settings = run->settings;
    c->record = record;
    c->groups = handler_settings(run)->groups;
    c->is_deep = is_deep;
    uint64_t factor = c->settings->scales && record->sampling > 0 ? record->sampling : 1;
    c->amount[FLOW_BYTES] = record->bytes * factor;
    c->amount[FLOW_PACKETS] = record->packets * factor;
    if (c->is_deep) {
        flow_names_of(c->settings, record, &c->names);
        look_up(c);
    }
}

static bool flow_v1_on_event(struct handler_run *run, struct handler_event *event)
{
    const struct flow_record *record = event->record;
    struct flow_block *table = run->block;
    bool input, output;
    if (record == NULL) {
        return false;
    }
    struct flow_device *device = flow_block_device(table, &record->exporter);
    bool is_deep = handler_is_deep(run);
    if (device == NULL) {
        table->lost++;
        return false;
    }
    if (!flow_settings_take(run->settings, record, &input, &output)) {
        device->filtered++;
        return false;
    }
    struct count c;
    begin(run, record, is_deep, &c);
    device->flows++;
    if (input) {
        count_direction(&c, table, device, FLOW_IN);
    }
    if (output) {
        count_direction(&c, table, device, FLOW_OUT);
    }
    return true;
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static void name_device(const struct flow_settings *settings, const struct flow_address *address,
                        char *to, size_t room)
{
    const struct flow_device_name *named = flow_settings_device(settings, address);
    char text[ADDRESS_ROOM];
    *address_write(text, address->version, address->bytes) = '\0';
    snprintf(to, room, "%s", named != NULL ? named->name : text);
}

static bool device_part(const void *settings, const void *block, uint32_t outer, uint32_t number,
                        struct handler_part *ret)
{
    const struct flow_block *table = block;
    (void)outer;
    if (number >= table->device_count) {
        return false;
    }
    ret->block = &table->devices[number];
    name_device(settings, &table->devices[number].address, ret->name, sizeof ret->name);
    snprintf(ret->label, sizeof ret->label, "%s", ret->name);
    return true;
}

static bool interface_part(const void *settings, const void *block, uint32_t outer, uint32_t number,
                           struct handler_part *ret)
{
    const struct flow_block *table = block;
    char device[HANDLER_PART_NAME];
    if (number >= table->interface_count) {
        return false;
    }
    const struct flow_interface *interface = &table->interfaces[number];
    ret->block = interface->device == outer ? interface : NULL;
    if (ret->block != NULL) {
        const struct flow_address *address = &table->devices[outer].address;
        name_device(settings, address, device, sizeof device);
        flow_settings_interface(flow_settings_device(settings, address), interface->number,
                                ret->name, sizeof ret->name);
        snprintf(ret->label, sizeof ret->label, "%s|%s", device, ret->name);
    }
    return true;
}

static const struct handler_parts interface_parts = {
    .key = "interfaces",
    .label = "device_interface",
    .set = &flow_block_interface_set,
    .part = interface_part,
};

static const struct handler_parts device_parts = {
    .key = "devices",
    .label = "device",
    .set = &flow_block_device_set,
    .part = device_part,
    .inner = &interface_parts,
};

static const struct handler_group flow_groups[] = {
    {"by_bytes", true},       {"by_packets", true},     {"cardinality", true}, {"counters", true},
    {"top_ips", true},        {"top_ips_ports", true},  {"top_ports", true},
    {"conversations", false}, {"top_geo", false},       {"top_interfaces", false},
    {"top_tos", false},       {NULL, false},
};

static const char *const flow_options[] = {
    "device_map", "enrichment", "only_device_interfaces", "only_ips", "only_ports",
    "only_directions", "geoloc_notfound", "asn_notfound", "summarize_ips_by_asn",
    "subnets_for_summarization", "exclude_asns_from_summarization",
    "exclude_unknown_asns_from_summarization", "exclude_ips_from_summarization",
    "sample_rate_scaling", "recorded_stream", "deep_sample_rate", "num_periods", "topn_count",
    "topn_percentile_threshold", NULL};

const struct handler handler_flow_v1 = {
    .type = "flow",
    .version = "1.0",
    .object = "flow",
    .title = "FlowStreamHandler",
    .inputs = HANDLER_FLOW | HANDLER_MOCK,
    .set = &flow_block_set,
    .groups = flow_groups,
    .options = flow_options,
    .settings_size = sizeof(struct flow_settings),
    .configure = flow_settings_read,
    .on_event = flow_v1_on_event,
    .parts = &device_parts,
};
