// SPDX-License-Identifier: Apache-2.0
/* The one loop that carries a packet. Each step calls a room and takes the value it returns:
 * the front has decoded the packet and made its key; here its flow is found and counted, and the
 * protocols see it. No step calls the next one. */
#include "engine/worker_core.h"

#include "base/prefetch.h"

enum {
    PREFETCH_AHEAD = 8, /* units between asking for a bucket, for its flow, and the work */
    BEHIND = 4,         /* units between the two steps for TCP health, and for conversations */
    FURTHER = 6,        /* and between a flow and what its protocol keeps */
};

static void count_frame(struct worker *w, const struct unit *unit)
{
    const struct packet *p = &unit->packet;
    const struct delta_layout *layout = w->options.layout;
    w->packets++;
    w->bytes += p->wire_len;
    if (w->options.skips_counts) {
        return;
    }
    if (w->delta->frames++ == 0) {
        w->delta->from_ns = w->delta->to_ns = p->time_ns;
    }
    w->delta->to_ns = p->time_ns > w->delta->to_ns ? p->time_ns : w->delta->to_ns;
    w->delta->frame_bytes += p->wire_len;
    if (p->layers == w->last_layers && w->last_path != NULL) {
        w->last_path->packets++;
        w->last_path->bytes += p->wire_len;
    } else {
        w->last_path = delta_paths_add(&w->delta->paths, p->layers, 1, p->wire_len);
        w->last_layers = p->layers;
    }
    for (uint32_t mask = w->on_frame; mask != 0;) {
        unsigned k = delta_next(&mask);
        layout->protos[k]->on_frame(w->delta->blocks + layout->offsets[k], p);
    }
}

/* 0: towards us or from the responder, 1: away from us or from the initiator. */
static void count_direction(struct worker *w, const struct packet *p, unsigned side)
{
    unsigned way = p->direction == FRAME_DIRECTION_UNKNOWN ? side == 0
                                                            : p->direction == FRAME_DIRECTION_OUT;
    w->delta->packets[way] += p->frames;
    w->delta->bytes[way] += p->wire_len;
}

/* Lets the flow's protocol hear what the packet says. */
static void hear(struct worker *w, const struct unit *unit, flow_index index, struct flow *flow)
{
    unsigned side = (unsigned)unit->end ^ flow->initiator;
    struct conversation_moment moment = worker_moment(w, index, unit->packet.time_ns);
    conversation_packet(w->talks, &moment, index, flow, &unit->packet, side);
}

static void count_health(struct worker *w, flow_index index, const struct unit *unit,
                         const struct flow_update *update)
{
    if (update->plain) {
        health_plain_packet(w->health, index, &unit->packet, update->side);
    } else if (update->stray) {
        health_stray_packet(w->health, index, &unit->packet, update->side);
    } else {
        health_packet(w->health, index, &unit->packet, update->side);
    }
}

/* A packet without a flow of its key begins one, unless it is the other direction of one under
 * other VLANs. */
static __attribute__((noinline)) flow_index find_across(struct worker *w, const struct unit *unit)
{
    flow_index index = flow_find_across(w->flows, &unit->key, (unsigned)unit->end, unit->hash);
    if (index != 0) {
        flow_cross(w->flows, index, &unit->key, (unsigned)unit->end);
    }
    return index;
}

/* The unit's flow is likely `hint`. */
static inline __attribute__((always_inline)) unsigned
run_flow(struct worker *w, const struct unit *unit, flow_index hint)
{
    flow_index index = flow_find_near(w->flows, &unit->key, unit->hash, hint);
    if (index == 0) {
        index = find_across(w, unit);
    }
    if (index != 0 && flow_is_reopened(flow_at(w->flows, index), &unit->packet, unit->end)) {
        flow_life_end(w, index, FLOW_REASON_CLOSED, unit->packet.time_ns);
        index = 0;
    }
    if (index == 0) {
        index = flow_life_begin(w, unit);
    }
    if (w->marks != 0) {
        finish_mark(w->finish, index, w->marks);
    }
    struct flow *flow = flow_at(w->flows, index);
    if (!w->options.skips_counts) {
        flow_life_touch(w, index, flow);
    }
    if (w->talks != NULL && !flow_is_stray(flow, &unit->packet, unit->end)) {
        hear(w, unit, index, flow);
    }
    struct flow_update update;
    flow_count(w->flows, index, &unit->packet, unit->end, &update);
    if (w->health != NULL) {
        count_health(w, index, unit, &update);
    }
    if (w->watch != NULL) {
        watch_packet(w->watch, w->health, index, &unit->packet, update.side);
    }
    const struct delta_layout *layout = w->options.layout;
    for (uint32_t mask = w->on_packet; mask != 0;) {
        unsigned k = delta_next(&mask);
        layout->protos[k]->on_packet(w->delta->blocks + layout->offsets[k], &unit->packet, flow,
                                     &update);
    }
    if (update.closed) {
        flow_life_close(w, index);
    }
    return update.side;
}

/* Shows a unit to the policies; its flow's marks. What was reassembled has no frame, and belongs to none. */
static uint32_t count_policies(struct worker *w, const struct chunk *chunk, const struct unit *unit)
{
    size_t index = (size_t)(unit - chunk->units);
    struct intake_packet packet = {
        .packet = &unit->packet,
        .frame = unit->flags & UNIT_FRAME && index < chunk->frame_count ? &chunk->frames[index]
                                                                        : NULL,
        .key = unit->flags & UNIT_FLOW ? &unit->key : NULL,
        .hash = unit->hash,
        .end = unit->end,
    };
    return intake_packet(w->intake, &packet);
}

/* An ICMP error has come for the flow that it quotes. */
static __attribute__((noinline)) void run_note(struct worker *w, const struct unit *unit)
{
    flow_index index = flow_find(w->flows, &unit->key, unit->hash);
    if (index == 0) { /* it bears the tags of those that it goes back with */
        index = flow_find_across(w->flows, &unit->key, 1U - (unsigned)unit->end, unit->hash);
    }
    if (index != 0) {
        flow_note_icmp(w->flows, index, &unit->packet);
        if (w->health != NULL) {
            health_note_icmp(w->health, index, &unit->packet);
        }
    }
}

static void run_unit(struct worker *w, const struct chunk *chunk, const struct unit *unit,
                     flow_index hint)
{
    w->step = unit->step;
    if (w->intake != NULL && !(unit->flags & UNIT_NOTE)) {
        w->marks = count_policies(w, chunk, unit);
    }
    unsigned side = 1;
    if (unit->flags & UNIT_FRAME) {
        count_frame(w, unit);
    }
    if (unit->flags & UNIT_FLOW) {
        side = run_flow(w, unit, hint);
    } else if (unit->flags & UNIT_NOTE) {
        run_note(w, unit);
        return;
    }
    bool has_direction = unit->flags & UNIT_FLOW || unit->packet.fragment == FRAGMENT_NONE;
    if (has_direction && !w->options.skips_counts) {
        count_direction(w, &unit->packet, side);
    }
}

/* For those who want what policies count and nothing else. */
static void run_policies(struct worker *w, const struct chunk *chunk, uint32_t from, uint32_t to)
{
    const uint32_t *list = chunk->lists[w->options.index].indices;
    for (uint32_t i = from; i < to; i++) {
        const struct unit *unit = &chunk->units[list[i]];
        w->packets += (unit->flags & UNIT_FRAME) != 0;
        if (!(unit->flags & UNIT_NOTE)) {
            count_policies(w, chunk, unit);
        }
    }
}

/* A unit that another core has written is in its cache: four lines to fetch. */
static void prefetch_unit(const struct unit *unit)
{
    const uint8_t *at = (const uint8_t *)unit;
    for (size_t offset = 0; offset < sizeof *unit; offset += 64) {
        prefetch_read(at + offset);
    }
}

/* What flows say, where somebody listens: the first two lines; the processor guesses the rest. */
static void prefetch_payload(const struct packet *packet)
{
    if (packet->payload_len > 0) {
        prefetch_read(packet->payload);
        prefetch_read(packet->payload + 64);
    }
}

/* The same for the health of the flows that were asked for at steps before i. */
static void prefetch_health(const struct health_book *health,
                            const flow_index ahead[PREFETCH_AHEAD], uint32_t i)
{
    health_prefetch_index(health, ahead[i % PREFETCH_AHEAD]);
    health_prefetch(health, ahead[(i - BEHIND) % PREFETCH_AHEAD]);
}

/* Cache misses are under way while other units are worked on: of each unit first its bucket, then
 * its flow, then the work. Spread out like this, the misses in flight stay few enough for the
 * processor's fill buffers. */
void pipeline_run(struct worker *w, const struct chunk *chunk, uint32_t from, uint32_t to)
{
    const struct unit *units = chunk->units;
    const uint32_t *list = chunk->lists[w->options.index].indices;
    bool is_shared = chunk->list_count > 1;
    flow_index ahead[PREFETCH_AHEAD] = {0};
    if (w->intake != NULL && w->options.only_policies && intake_wants(w->intake) == 0) {
        run_policies(w, chunk, from, to);
        return;
    }
    for (uint32_t i = from; i < to + 2 * PREFETCH_AHEAD; i++) {
        flow_index hint = ahead[i % PREFETCH_AHEAD]; /* of the unit that is worked on below */
        if (is_shared && i + PREFETCH_AHEAD < to) {
            prefetch_unit(&units[list[i + PREFETCH_AHEAD]]);
        }
        if (is_shared && i < to) {
            flow_prefetch_bucket(w->flows, units[list[i]].hash);
        }
        if (i >= from + PREFETCH_AHEAD && i < to + PREFETCH_AHEAD) {
            const struct unit *unit = &units[list[i - PREFETCH_AHEAD]];
            ahead[i % PREFETCH_AHEAD] = flow_prefetch(w->flows, unit->hash);
            if (w->talks != NULL) {
                prefetch_payload(&unit->packet);
            }
        }
        if (w->health != NULL) {
            prefetch_health(w->health, ahead, i);
        }
        if (w->talks != NULL) {
            conversation_prefetch(w->talks,
                                  flow_at(w->flows, ahead[(i - BEHIND) % PREFETCH_AHEAD]),
                                  flow_at(w->flows, ahead[(i - FURTHER) % PREFETCH_AHEAD]));
        }
        if (i >= from + 2 * PREFETCH_AHEAD) {
            run_unit(w, chunk, &units[list[i - 2 * PREFETCH_AHEAD]], hint);
        }
    }
}
