// SPDX-License-Identifier: Apache-2.0
#include "event/beat.h"

#include "event/event_value.h"
#include "event/transaction.h"

enum { TIME_SIZE = 30 /* 2026-11-20T23:58:49.123456789Z */, SECONDS_SIZE = 19 };

/* ---- Times ------------------------------------------------------------------------------------ */

static bool is_time(struct span text)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
    if (text.size != TIME_SIZE) {
        return false;
    }
    for (size_t i = 0; i < TIME_SIZE; i++) {
        bool fits = shape[i] == 'd' ? text.data[i] >= '0' && text.data[i] <= '9'
                                    : text.data[i] == (uint8_t)shape[i];
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* Nanoseconds lose the zeros at their end, the others do not. */
static size_t time_digits(const struct beat_options *beat, struct span text)
{
    if (beat->precision != BEAT_NANOSECOND) {
        return beat->precision == BEAT_MILLISECOND ? 3 : 6;
    }
    size_t digits = 9;
    while (digits > 0 && text.data[SECONDS_SIZE + digits] == '0') {
        digits--;
    }
    return digits;
}

static void cut_times(const struct beat_options *beat, struct nodes *tree, struct node *node)
{
    for (struct node *child = node->first; child != NULL; child = child->next) {
        if (!node_is_scalar(child)) {
            cut_times(beat, tree, child);
        } else if (child->kind == NODE_TEXT && is_time(child->text)) {
            size_t digits = time_digits(beat, child->text);
            size_t size = digits > 0 ? SECONDS_SIZE + 1 + digits : SECONDS_SIZE;
            child->text = node_format(tree, "%.*sZ", (int)size, child->text.data);
        }
    }
}

void beat_measure(struct nodes *tree, struct node *event, const struct event_head *head)
{
    if (head->type->common != transaction_fields) {
        return;
    }
    const struct transaction *t = (const struct transaction *)(const void *)head;
    struct node *duration = node_find(event, span_str("event.duration"));
    struct node *end = node_find(event, span_str("event.end"));
    if (!t->transfer.present || t->transfer.value == 0 || duration == NULL || end == NULL) {
        return;
    }
    struct event_clock clock = {0};
    char quoted[2 * TIME_SIZE];
    size_t size = (size_t)(event_value_time(quoted, t->response_ns, &clock) - quoted);
    end->text = node_format(tree, "%.*s", (int)size - 2, quoted + 1);
    duration->text = node_format(tree, "%llu",
                                 (unsigned long long)(t->duration.value - t->transfer.value));
}

/* ---- Directions --------------------------------------------------------------------------------- */

static bool end_of(const struct node *event, const char *path, struct networks_address *ret)
{
    const struct node *node = node_find(event, span_str(path));
    if (node != NULL && node->kind == NODE_LIST) {
        node = node->first;
    }
    return node != NULL && networks_address_read(node->text, ret);
}

static bool is_here(const struct networks_address *address)
{
    return networks_is("loopback", address) || networks_is("link_local_unicast", address);
}

static const char *direction_of(const struct beat_options *beat,
                                const struct networks_address *source,
                                const struct networks_address *destination)
{
    if ((is_here(source) && is_here(destination)) || networks_have(&beat->local, destination)) {
        return "ingress";
    }
    if (networks_have(&beat->local, source)) {
        return "egress";
    }
    if (!beat->has_internal) {
        return "unknown";
    }
    bool from = networks_have(&beat->internal, source);
    bool to = networks_have(&beat->internal, destination);
    return from && to ? "internal" : from ? "outbound" : to ? "inbound" : "external";
}

/* False when it is one that nobody wants. */
static bool add_direction(const struct beat_options *beat, struct nodes *tree,
                          struct node *event)
{
    struct networks_address source, destination;
    if (!end_of(event, "source.ip", &source) || !end_of(event, "destination.ip", &destination)) {
        return true;
    }
    const char *direction = direction_of(beat, &source, &destination);
    node_put(tree, event, span_str("network.direction"),
             node_new(tree, NODE_TEXT, span_str(direction)));
    return !(beat->ignore_outgoing && strcmp(direction, "egress") == 0);
}

/* ---- What users add ------------------------------------------------------------------------------ */

static void add_tags(struct nodes *tree, struct node *event, const struct text_list *tags)
{
    struct node *list = node_member(event, span_str("tags"));
    if (list == NULL && tags->count > 0) {
        list = node_new(tree, NODE_LIST, (struct span){0});
        node_append_named(event, span_str("tags"), list);
    }
    for (size_t i = 0; i < tags->count; i++) {
        node_append(list, node_new(tree, NODE_TEXT, span_str(tags->items[i])));
    }
}

static void add_fields(struct nodes *tree, struct node *event, const struct node *fields,
                       bool under_root)
{
    if (fields == NULL || fields->kind != NODE_MAP) {
        return;
    }
    struct node *to = under_root ? event : node_member(event, span_str("fields"));
    if (to == NULL) {
        to = node_new(tree, NODE_MAP, (struct span){0});
        node_append_named(event, span_str("fields"), to);
    }
    node_merge(to, node_clone(tree, fields));
}

static const struct beat_type *type_of(const struct beat_options *beat,
                                       const struct node *event)
{
    const struct node *name = node_member(event, span_str("type"));
    for (size_t i = 0; name != NULL && i < beat->type_count; i++) {
        if (node_is(name, beat->types[i].type)) {
            return &beat->types[i];
        }
    }
    return NULL;
}

/* ---- What stands around every event -------------------------------------------------------------- */

static void put(struct nodes *tree, struct node *map, const char *name, const char *text)
{
    node_append_named(map, span_str(name), node_new(tree, NODE_TEXT, span_str(text)));
}

static struct node *add_map(struct nodes *tree, struct node *event, const char *name)
{
    struct node *map = node_member(event, span_str(name));
    if (map == NULL || map->kind != NODE_MAP) {
        map = node_new(tree, NODE_MAP, (struct span){0});
        node_append_named(event, span_str(name), map);
    }
    return map;
}

static void add_agent(const struct beat_options *beat, struct nodes *tree, struct node *event)
{
    struct node *agent = add_map(tree, event, "agent");
    put(tree, agent, "type", "packetbeat");
    put(tree, agent, "version", BEAT_VERSION);
    put(tree, agent, "ephemeral_id", beat->ephemeral_id);
    put(tree, agent, "id", beat->id);
    put(tree, agent, "name", beat->name);
    put(tree, add_map(tree, event, "ecs"), "version", "8.0.0");
    struct node *host = add_map(tree, event, "host");
    if (node_member(host, span_str("name")) == NULL) {
        put(tree, host, "name", beat->hostname);
    }
}

/* @metadata stands behind @timestamp, where those who take it off again look first. */
static void add_metadata(struct nodes *tree, struct node *event, const struct beat_type *type)
{
    struct node *metadata = node_new(tree, NODE_MAP, (struct span){0});
    metadata->name = span_str("@metadata");
    put(tree, metadata, "beat", "packetbeat");
    put(tree, metadata, "type", "_doc");
    put(tree, metadata, "version", BEAT_VERSION);
    if (type != NULL && type->index != NULL) {
        put(tree, metadata, "raw_index", type->index);
    }
    if (event->first == NULL) {
        node_append(event, metadata);
        return;
    }
    metadata->next = event->first->next;
    event->first->next = metadata;
    if (event->last == event->first) {
        event->last = metadata;
    }
}

/* One VLAN is a number, several are a list. */
static void unwrap_vlan(struct node *event)
{
    struct node *vlan = node_find(event, span_str("flow.vlan"));
    if (vlan != NULL && vlan->kind == NODE_LIST && vlan->first != NULL && vlan->first->next == NULL) {
        node_become(vlan, (enum node_kind)vlan->first->kind, vlan->first->text);
    }
}

/* By the reason that our protocols give. */
static bool is_unanswered(const struct node *event)
{
    const struct node *reason = node_find(event, span_str("event.reason"));
    return reason != NULL && (node_is(reason, "reset") || node_is(reason, "timeout"));
}

/* Of a handshake that came to nothing Packetbeat says that it is not established, and no more. */
static void drop_reason(struct node *event)
{
    const struct node *type = node_find(event, span_str("type"));
    if (type != NULL && node_is(type, "tls")) {
        (void)node_take(event, span_str("event.reason"));
    }
}

bool beat_shape(const struct beat_options *beat, struct nodes *tree, struct node *event)
{
    const struct beat_type *type = type_of(beat, event);
    if (beat->drops_unanswered && is_unanswered(event)) {
        return false;
    }
    unwrap_vlan(event);
    drop_reason(event);
    if (!add_direction(beat, tree, event)) {
        return false;
    }
    cut_times(beat, tree, event);
    add_metadata(tree, event, type);
    if (type != NULL) {
        add_tags(tree, event, &type->tags);
        add_fields(tree, event, type->fields, type->fields_under_root);
    }
    add_tags(tree, event, &beat->tags);
    add_fields(tree, event, beat->fields, beat->fields_under_root);
    if (type != NULL && type->processors != NULL &&
        !processors_run(type->processors, tree, event)) {
        return false;
    }
    add_agent(beat, tree, event);
    return true;
}
