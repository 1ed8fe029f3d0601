// SPDX-License-Identifier: Apache-2.0
#include "handler/flow_block.h"

#include "base/hash.h"

/* ---- Making --------------------------------------------------------------------------------- */

static void make_side(struct flow_side *side)
{
    topn_init(&side->src_ips, FLOW_SLOTS, FLOW_KEY);
    topn_init(&side->dst_ips, FLOW_SLOTS, FLOW_KEY);
    topn_init(&side->src_ports, FLOW_SLOTS, FLOW_KEY_SHORT);
    topn_init(&side->dst_ports, FLOW_SLOTS, FLOW_KEY_SHORT);
    topn_init(&side->src_ip_ports, FLOW_SLOTS, FLOW_KEY);
    topn_init(&side->dst_ip_ports, FLOW_SLOTS, FLOW_KEY);
    topn_init(&side->dscp, FLOW_SLOTS_TOS, FLOW_KEY_SHORT);
    topn_init(&side->ecn, FLOW_SLOTS_TOS, FLOW_KEY_SHORT);
}

static void make_interface(void *block)
{
    struct flow_interface *interface = block;
    for (unsigned d = 0; d < FLOW_DIRECTIONS; d++) {
        for (unsigned m = 0; m < FLOW_MEASURES; m++) {
            make_side(&interface->sides[d][m]);
        }
    }
    for (unsigned m = 0; m < FLOW_MEASURES; m++) {
        topn_init(&interface->both[m].places, FLOW_SLOTS, METRIC_PLACE);
        topn_init(&interface->both[m].owners, FLOW_SLOTS, METRIC_PLACE);
        topn_init(&interface->both[m].conversations, FLOW_SLOTS, FLOW_KEY_LONG);
    }
    interface->is_made = true;
}

static void make_device(void *block)
{
    struct flow_device *device = block;
    topn_init(&device->in_bytes, FLOW_SLOTS, FLOW_KEY_SHORT);
    topn_init(&device->out_bytes, FLOW_SLOTS, FLOW_KEY_SHORT);
    topn_init(&device->in_packets, FLOW_SLOTS, FLOW_KEY_SHORT);
    topn_init(&device->out_packets, FLOW_SLOTS, FLOW_KEY_SHORT);
    device->is_made = true;
}

/* ---- The tables ----------------------------------------------------------------------------- */

#define SIDE(direction, measure, member)                                                           \
    offsetof(struct flow_interface, sides[direction][measure].member)
#define BOTH(measure, member) offsetof(struct flow_interface, both[measure].member)

#define COUNT(name_, at, unit_, by, help_)                                                         \
    {                                                                                              \
        .name = name_, .kind = METRIC_COUNTER, .offset = at, .unit = unit_, .help = help_,         \
        .group = "counters", .path = name_, .family = "flow_" name_,                               \
        .groups = FLOW_COUNTERS | (by)                                                             \
    }
#define TOP(name_, at, label_, unit_, groups_, help_)                                              \
    {                                                                                              \
        .name = name_, .kind = METRIC_TOPN, .offset = at, .unit = unit_, .help = help_,            \
        .group = "top", .key = METRIC_KEY_TEXT, .label = label_, .path = name_,                    \
        .family = "flow_" name_, .groups = groups_                                                 \
    }
#define TOP_PLACE(name_, at, label_, unit_, by, help_)                                             \
    {                                                                                              \
        .name = name_, .kind = METRIC_TOPN, .offset = at, .unit = unit_, .help = help_,            \
        .group = "top", .key = METRIC_KEY_PLACE, .label = label_, .path = name_,                   \
        .family = "flow_" name_, .groups = FLOW_TOP_GEO | (by)                                     \
    }
#define DISTINCT(name_, member, groups_, help_)                                                    \
    {                                                                                              \
        .name = "cardinality_" name_, .kind = METRIC_CARDINALITY,                                  \
        .offset = offsetof(struct flow_interface, member), .unit = "", .help = help_,              \
        .group = "cardinality", .path = "cardinality/" name_,                                      \
        .family = "flow_cardinality_" name_, .groups = FLOW_CARDINALITY | (groups_)                \
    }

/* One direction in one measure: `d` is "in" or "out", `m` "bytes" or "packets". */
#define SIDE_ROWS(d, D, m, M, by)                                                                  \
    COUNT(d "_udp_" m, SIDE(D, M, udp), m, by, "Count of " d " UDP by " m),                        \
        COUNT(d "_tcp_" m, SIDE(D, M, tcp), m, by, "Count of " d " TCP by " m),                    \
        COUNT(d "_other_l4_" m, SIDE(D, M, other_l4), m, by,                                       \
              "Count of " d " " m " which are not UDP or TCP"),                                    \
        COUNT(d "_ipv4_" m, SIDE(D, M, ipv4), m, by, "Count of " d " IPv4 by " m),                 \
        COUNT(d "_ipv6_" m, SIDE(D, M, ipv6), m, by, "Count of " d " IPv6 by " m),                 \
        COUNT(d "_" m, SIDE(D, M, total), m, by, "Count of " d " " m),                             \
        TOP("top_" d "_src_ips_" m, SIDE(D, M, src_ips), "ip", m, FLOW_TOP_IPS | (by),             \
            "Top " d " source IP addresses by " m),                                                \
        TOP("top_" d "_dst_ips_" m, SIDE(D, M, dst_ips), "ip", m, FLOW_TOP_IPS | (by),             \
            "Top " d " destination IP addresses by " m),                                           \
        TOP("top_" d "_src_ports_" m, SIDE(D, M, src_ports), "port", m, FLOW_TOP_PORTS | (by),     \
            "Top " d " source ports by " m),                                                       \
        TOP("top_" d "_dst_ports_" m, SIDE(D, M, dst_ports), "port", m, FLOW_TOP_PORTS | (by),     \
            "Top " d " destination ports by " m),                                                  \
        TOP("top_" d "_src_ip_ports_" m, SIDE(D, M, src_ip_ports), "ip_port", m,                   \
            FLOW_TOP_IPS_PORTS | (by), "Top " d " source IP addresses and port by " m),            \
        TOP("top_" d "_dst_ip_ports_" m, SIDE(D, M, dst_ip_ports), "ip_port", m,                   \
            FLOW_TOP_IPS_PORTS | (by), "Top " d " destination IP addresses and port by " m),       \
        TOP("top_" d "_dscp_" m, SIDE(D, M, dscp), "dscp", m, FLOW_TOP_TOS | (by),                 \
            "Top " d " IP DSCP by " m),                                                            \
        TOP("top_" d "_ecn_" m, SIDE(D, M, ecn), "ecn", m, FLOW_TOP_TOS | (by),                    \
            "Top " d " IP ECN by " m)

#define BOTH_ROWS(m, M, by)                                                                        \
    TOP_PLACE("top_geo_loc_" m, BOTH(M, places), "geo_loc", m, by, "Top GeoIP locations by " m),   \
        TOP_PLACE("top_asn_" m, BOTH(M, owners), "asn", m, by, "Top ASNs by IP by " m),            \
        TOP("top_conversations_" m, BOTH(M, conversations), "conversation", m,                     \
            FLOW_CONVERSATIONS | (by), "Top source IP addresses and port by " m)

static const struct metric interface_metrics[] = {
    DISTINCT("conversations", conversations, FLOW_CONVERSATIONS, "Conversations cardinality"),
    DISTINCT("src_ips_in", source_ips, 0, "Source IP cardinality"),
    DISTINCT("dst_ips_out", destination_ips, 0, "Destination IP cardinality"),
    DISTINCT("src_ports_in", source_ports, 0, "Source ports cardinality"),
    DISTINCT("dst_ports_out", destination_ports, 0, "Destination ports cardinality"),
    SIDE_ROWS("in", FLOW_IN, "bytes", FLOW_BYTES, FLOW_BY_BYTES),
    SIDE_ROWS("out", FLOW_OUT, "bytes", FLOW_BYTES, FLOW_BY_BYTES),
    BOTH_ROWS("bytes", FLOW_BYTES, FLOW_BY_BYTES),
    SIDE_ROWS("in", FLOW_IN, "packets", FLOW_PACKETS, FLOW_BY_PACKETS),
    SIDE_ROWS("out", FLOW_OUT, "packets", FLOW_PACKETS, FLOW_BY_PACKETS),
    BOTH_ROWS("packets", FLOW_PACKETS, FLOW_BY_PACKETS),
    {0},
};

const struct metric_set flow_block_interface_set = {
    .name = "flow_interface",
    .help = "Flows through an interface",
    .metrics = interface_metrics,
    .size = sizeof(struct flow_interface),
    .init = make_interface,
};

#define DEVICE(member) offsetof(struct flow_device, member)

static const struct metric device_metrics[] = {
    COUNT("records_flows", DEVICE(flows), "records", 0,
          "Count of total flows records that match the configured filter(s) (if any)"),
    COUNT("records_filtered", DEVICE(filtered), "records", 0,
          "Count of total flows records seen that did not match the configured filter(s) (if any)"),
    TOP("top_in_interfaces_bytes", DEVICE(in_bytes), "interface", "bytes",
        FLOW_TOP_INTERFACES | FLOW_BY_BYTES, "Top input interfaces by bytes"),
    TOP("top_out_interfaces_bytes", DEVICE(out_bytes), "interface", "bytes",
        FLOW_TOP_INTERFACES | FLOW_BY_BYTES, "Top output interfaces by bytes"),
    TOP("top_in_interfaces_packets", DEVICE(in_packets), "interface", "packets",
        FLOW_TOP_INTERFACES | FLOW_BY_PACKETS, "Top input interfaces by packets"),
    TOP("top_out_interfaces_packets", DEVICE(out_packets), "interface", "packets",
        FLOW_TOP_INTERFACES | FLOW_BY_PACKETS, "Top output interfaces by packets"),
    {0},
};

const struct metric_set flow_block_device_set = {
    .name = "flow_device",
    .help = "Flows that a device told of",
    .metrics = device_metrics,
    .size = sizeof(struct flow_device),
    .init = make_device,
};

/* ---- Finding -------------------------------------------------------------------------------- */

struct flow_device *flow_block_device(struct flow_block *table, const struct flow_address *address)
{
    for (uint32_t i = 0; i < table->device_count; i++) {
        if (memcmp(&table->devices[i].address, address, sizeof *address) == 0) {
            return &table->devices[i];
        }
    }
    if (table->device_count == FLOW_DEVICES) {
        return NULL;
    }
    struct flow_device *device = &table->devices[table->device_count++];
    device->address = *address;
    if (!device->is_made) {
        make_device(device);
    }
    return device;
}

struct flow_interface *flow_block_interface(struct flow_block *table,
                                            const struct flow_device *device, uint32_t number)
{
    uint32_t owner = (uint32_t)(device - table->devices);
    uint32_t key[2] = {owner, number};
    uint32_t at = (uint32_t)hash64(key, sizeof key, 0) % FLOW_INDEX;
    for (; table->index[at] != 0; at = (at + 1) % FLOW_INDEX) {
        struct flow_interface *there = &table->interfaces[table->index[at] - 1];
        if (there->device == owner && there->number == number) {
            return there;
        }
    }
    if (table->interface_count == FLOW_INTERFACES) {
        return NULL; /* the index is never more than a quarter full */
    }
    struct flow_interface *interface = &table->interfaces[table->interface_count++];
    table->index[at] = (uint16_t)table->interface_count;
    interface->device = owner;
    interface->number = number;
    if (!interface->is_made) {
        make_interface(interface);
    }
    return interface;
}

/* ---- Blocks --------------------------------------------------------------------------------- */

static void reset(void *block)
{
    struct flow_block *table = block;
    for (uint32_t i = 0; i < table->device_count; i++) {
        metric_block_reset(&flow_block_device_set, &table->devices[i]);
    }
    for (uint32_t i = 0; i < table->interface_count; i++) {
        metric_block_reset(&flow_block_interface_set, &table->interfaces[i]);
    }
    if (table->interface_count > 0) {
        memset(table->index, 0, sizeof table->index);
    }
    table->device_count = table->interface_count = 0;
}

static void merge(void *into, const void *from)
{
    struct flow_block *to = into;
    const struct flow_block *table = from;
    for (uint32_t i = 0; i < table->device_count; i++) {
        struct flow_device *device = flow_block_device(to, &table->devices[i].address);
        if (device == NULL) {
            to->lost += table->devices[i].flows;
            continue;
        }
        metric_block_merge(&flow_block_device_set, device, &table->devices[i]);
    }
    for (uint32_t i = 0; i < table->interface_count; i++) {
        const struct flow_interface *one = &table->interfaces[i];
        const struct flow_device *device =
            flow_block_device(to, &table->devices[one->device].address);
        struct flow_interface *interface =
            device != NULL ? flow_block_interface(to, device, one->number) : NULL;
        if (interface != NULL) {
            metric_block_merge(&flow_block_interface_set, interface, one);
        } else {
            to->lost += device != NULL; /* at least one record */
        }
    }
}

static const struct metric table_metrics[] = {
    {.name = "records_lost", .kind = METRIC_COUNTER, .unit = "records", .group = "counters",
     .offset = offsetof(struct flow_block, lost), .path = "records_lost",
     .family = "flow_records_lost", .groups = FLOW_COUNTERS,
     .help = "Flow records of devices or interfaces beyond those that can be told apart"},
    {0},
};

const struct metric_set flow_block_set = {
    .name = "flow",
    .help = "Flows by device and interface",
    .metrics = table_metrics,
    .size = sizeof(struct flow_block),
    .reset = reset,
    .merge = merge,
};
