// SPDX-License-Identifier: Apache-2.0
#include "policy/intake.h"

#include <stdlib.h>
#include <time.h>

#include "base/pages.h"
#include "base/seconds.h"
#include "policy/exports.h"
#include "policy/heritage.h"
#include "policy/intake_core.h"
#include "policy/intake_look.h"
#include "policy/policy_band.h"
#include "policy/streams.h"

enum {
    INTAKE_SLAB = 64 << 20,   /* of messages that are cut, of early segments */
    GUARD_MINUTES = 10,       /* a packet so far ahead is not believed alone */
    WAIT_NS = 1000000,
    WAITS = 5000,             /* for the office: five seconds */
};

/* ---- Life ----------------------------------------------------------------------------------- */

struct intake *intake_new(struct policies *set, uint32_t slot, struct err *err)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL || slot >= POLICY_SLOTS) {
        free(intake);
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    intake->set = set;
    intake->slot = &set->slots[slot];
    intake->is_recorded = set->options.is_recorded;
    intake->slab = slab_new(INTAKE_SLAB);
    if (intake->slab == NULL) {
        intake_free(intake);
        err_set(err, ERR_FAILED, "out of memory for the connections of policies");
        return NULL;
    }
    return intake;
}

static void drop_inputs(struct intake *intake)
{
    for (uint32_t i = 0; i < PLAN_INPUTS; i++) {
        streams_free(intake->inputs[i].streams);
        exports_free(intake->inputs[i].exports);
        intake->inputs[i] = (struct intake_input){0};
    }
}

void intake_free(struct intake *intake)
{
    if (intake != NULL) {
        drop_inputs(intake);
        slab_free(intake->slab);
        free(intake);
    }
}

void intake_select(struct intake *intake, const char *tap)
{
    intake->tap = tap;
}

/* Parcels of desks that are new are of this minute; settings are those of the plan. */
static void begin_minute(struct intake *intake)
{
    for (uint32_t i = 0; intake->plan != NULL && i < intake->plan->total; i++) {
        const struct plan_input *input = &intake->plan->inputs[i];
        for (uint32_t c = 0; c < input->chain_count; c++) {
            for (uint32_t d = 0; d < input->chains[c].count; d++) {
                struct parcel *parcel = input->chains[c].desks[d]->filling;
                input->chains[c].desks[d]->run.settings = input->chains[c].settings[d];
                parcel->minute = parcel->minute == 0 ? intake->minute : parcel->minute;
            }
        }
    }
}

/* Carries the connections of inputs that stay over to the new plan. */
static void adopt(struct intake *intake, struct policy_plan *plan)
{
    struct intake_input old[PLAN_INPUTS];
    memcpy(old, intake->inputs, sizeof old);
    memset(intake->inputs, 0, sizeof intake->inputs);
    intake->waits = false;
    for (uint32_t i = 0; plan != NULL && i < plan->total && i < PLAN_INPUTS; i++) {
        struct intake_input *to = &intake->inputs[i];
        to->input = plan->inputs[i].input;
        to->band = plan->inputs[i].band;
        to->first_ns = UINT64_MAX;
        intake->waits |= to->input->file != NULL && !intake->is_recorded;
        for (uint32_t k = 0; k < PLAN_INPUTS; k++) {
            if (old[k].input == to->input && old[k].band == to->band) {
                *to = old[k];
                old[k] = (struct intake_input){0};
            }
        }
        if (to->streams == NULL && plan->inputs[i].streams[0] != NULL) {
            to->streams = streams_new((uint32_t)(to->input->connections < STREAMS_MAX
                                                     ? to->input->connections
                                                     : STREAMS_MAX),
                                      intake->slab);
        }
        if (to->exports == NULL && to->input->kind == HANDLER_FLOW) {
            to->exports = exports_new(to->input->is_netflow ? EXPORT_NETFLOW : EXPORT_SFLOW);
        }
    }
    for (uint32_t k = 0; k < PLAN_INPUTS; k++) {
        streams_free(old[k].streams);
        exports_free(old[k].exports);
    }
    if (intake->plan != NULL && plan != NULL) {
        heritage_pass(intake->plan, plan);
    }
    intake->plan = plan;
    if (plan != NULL) {
        intake_give_marks(intake, plan);
    }
    begin_minute(intake);
}

void intake_poll(struct intake *intake)
{
    atomic_store(&intake->slot->is_used, true);
    struct policy_plan *wanted = atomic_load(&intake->slot->wanted);
    if (wanted != intake->plan) {
        adopt(intake, wanted);
        atomic_store(&intake->slot->taken, wanted);
    }
}

/* ---- Time ----------------------------------------------------------------------------------- */

/* Whether to wait for the office once more: it is there, and nobody wants the plan back. */
static bool may_wait(const struct intake *intake, unsigned *waited)
{
    if (*waited >= WAITS) {
        return false;
    }
    nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    return !atomic_load(&intake->set->has_ended) && ++*waited < WAITS &&
           atomic_load(&intake->slot->wanted) == intake->plan;
}

static void hand_over_chain(struct intake *intake, const struct plan_chain *chain, uint64_t minute,
                            unsigned *waited)
{
    for (uint32_t d = 0; d < chain->count; d++) {
        while (!desk_hand_over(chain->desks[d], minute) && may_wait(intake, waited)) {
        }
    }
}

static void hand_over(struct intake *intake, uint64_t minute, bool waits)
{
    unsigned waited = waits ? 0 : WAITS;
    for (uint32_t i = 0; intake->plan != NULL && i < intake->plan->total; i++) {
        const struct plan_input *input = &intake->plan->inputs[i];
        for (uint32_t c = 0; c < input->chain_count; c++) {
            hand_over_chain(intake, &input->chains[c], minute, &waited);
        }
    }
}

enum moment intake_moment_of(struct intake *intake, uint64_t time_ns)
{
    uint64_t minute = time_ns / MINUTE_NS;
    if (intake->is_recorded || minute == intake->minute) {
        intake->ahead = 0;
        return MOMENT_NOW;
    }
    if (minute < intake->minute) {
        intake->ahead = 0;
        return minute + 1 == intake->minute ? MOMENT_BEFORE : MOMENT_LATE;
    }
    bool far = intake->minute != 0 && minute > intake->minute + GUARD_MINUTES;
    if (far && (intake->ahead == 0 || minute + 1 < intake->ahead ||
                minute > intake->ahead + GUARD_MINUTES)) {
        intake->ahead = minute;
        return MOMENT_FUTURE;
    }
    hand_over(intake, minute, intake->waits); /* what waits is to be of its own minute */
    intake->minute = minute;
    intake->ahead = 0;
    return MOMENT_NOW;
}

/* ---- Seconds -------------------------------------------------------------------------------- */

static void tick_input(struct intake *intake, uint32_t number, uint64_t now_ns)
{
    const struct plan_input *input = &intake->plan->inputs[number];
    if (intake->inputs[number].streams != NULL) {
        streams_age(intake->inputs[number].streams, now_ns);
    }
    for (uint32_t c = 0; c < input->chain_count; c++) {
        for (uint32_t d = 0; d < input->chains[c].count; d++) {
            struct desk *desk = input->chains[c].desks[d];
            if (desk->handler->on_tick != NULL) {
                desk->filling->used[DESK_MINUTE] = true;
                desk->handler->on_tick(&desk->run, now_ns);
            }
        }
    }
}

static void tick(struct intake *intake, uint64_t now_ns)
{
    for (uint32_t i = 0; intake->plan != NULL && i < intake->plan->total; i++) {
        tick_input(intake, i, now_ns);
    }
}

void intake_pass_second(struct intake *intake, uint64_t time_ns, enum moment moment)
{
    uint64_t second = time_ns / SECOND_NS;
    if (moment != MOMENT_NOW || second <= intake->second) {
        return;
    }
    intake->second = second;
    tick(intake, second * SECOND_NS);
    if (!intake->is_recorded) {
        hand_over(intake, intake->minute, false);
    }
}

/* ---- Events --------------------------------------------------------------------------------- */

static void walk(const struct plan_input *input, struct handler_event *event)
{
    uint64_t second = event->time_ns / SECOND_NS;
    for (uint32_t c = 0; c < input->packet_chains; c++) {
        const struct plan_chain *chain = &input->chains[c];
        for (uint32_t d = 0; d < chain->count; d++) {
            if (!desk_count(chain->desks[d], event, second)) {
                break;
            }
        }
    }
}

static void on_message(void *context, struct span message, unsigned side)
{
    struct intake *intake = context;
    struct handler_event event = *intake->event;
    struct handler_message memory = {.memory = intake->message};
    if (side != intake->end) { /* an acknowledgement released what the other side had sent */
        event.address[0] = intake->event->address[1];
        event.address[1] = intake->event->address[0];
        event.port[0] = intake->event->port[1];
        event.port[1] = intake->event->port[0];
        event.direction = intake_look_direction(intake->at->input, &event, FRAME_DIRECTION_UNKNOWN);
    }
    event.kinds = HANDLER_STREAM;
    event.payload = message;
    event.size = (uint32_t)message.size;
    event.message = &memory;
    walk(intake->at, &event);
}

static void follow(struct intake *intake, uint32_t number, const struct intake_packet *p,
                   struct handler_event *event)
{
    const struct plan_input *input = &intake->plan->inputs[number];
    if (p->key == NULL || p->packet->class != PACKET_TCP ||
        intake->inputs[number].streams == NULL) {
        return;
    }
    for (uint32_t i = 0; i < PLAN_STREAMS && input->streams[i] != NULL; i++) {
        if (handler_reads(input->streams[i], event)) {
            intake->at = input;
            intake->event = event;
            intake->end = (unsigned)p->end;
            const struct streams_taker taker = {
                .reader = input->streams[i], .to = on_message, .context = intake};
            streams_push(intake->inputs[number].streams, &taker, p->packet, p->key, p->hash,
                         (unsigned)p->end);
            return;
        }
    }
}

static bool wants(const struct intake *intake, const struct policy_input *input,
                  const struct intake_packet *p)
{
    return intake_is_of_tap(intake, input, intake->tap) && intake_look_passes(input, p);
}

static void note_seen(struct intake_input *input, const struct plan_input *plan, uint64_t time_ns)
{
    struct policy_input *shared = plan->input;
    if (time_ns < input->first_ns) {
        input->first_ns = time_ns;
        uint64_t first = atomic_load_explicit(&shared->first_ns, memory_order_relaxed);
        while (time_ns < first &&
               !atomic_compare_exchange_weak(&shared->first_ns, &first, time_ns)) {
        }
    }
    input->last_ns = time_ns > input->last_ns ? time_ns : input->last_ns;
}

/* Shows an event to one input, in the minute that it belongs to. */
static void present(struct intake *intake, uint32_t number, struct handler_event *event,
                    enum moment moment)
{
    const struct plan_input *input = &intake->plan->inputs[number];
    if (input->band == NULL) {
        note_seen(&intake->inputs[number], input, event->time_ns);
    }
    if (moment == MOMENT_BEFORE) {
        desk_turn_all(input, true);
    }
    walk(input, event);
}

/* ---- Flows ---------------------------------------------------------------------------------- */

struct telling {
    struct intake *intake;
    uint32_t number;
    enum moment moment;
    struct handler_event event;
};

static void on_record(void *context, const struct flow_record *record)
{
    struct telling *telling = context;
    telling->event.record = record;
    present(telling->intake, telling->number, &telling->event, telling->moment);
    if (telling->moment == MOMENT_BEFORE) {
        desk_turn_all(&telling->intake->plan->inputs[telling->number], false);
    }
}

/* Shows the records of a datagram to an input of flows. */
static void tell_flows(struct intake *intake, uint32_t number, enum moment moment,
                       const struct export_datagram *datagram)
{
    struct telling telling = {.intake = intake, .number = number, .moment = moment};
    struct export_sink sink = {on_record, &telling};
    struct exports *exports = intake->inputs[number].exports;
    telling.event.time_ns = datagram->time_ns;
    telling.event.kinds = HANDLER_FRAME;
    if (exports != NULL && !exports_read(exports, datagram, &sink)) {
        struct policy_input *input = intake->plan->inputs[number].input;
        atomic_fetch_add_explicit(&input->errors, 1, memory_order_relaxed);
    }
}

static void tell_captured(struct intake *intake, uint32_t number, enum moment moment,
                          const struct handler_event *event)
{
    struct export_datagram datagram = {.bytes = event->payload, .port = event->port[0],
                                       .time_ns = event->time_ns,
                                       .exporter = {.version = event->version}};
    if (!(event->kinds & HANDLER_DATAGRAM) || event->payload.size == 0 || event->version == 0) {
        return;
    }
    memcpy(datagram.exporter.bytes, event->address[0], handler_address_size(event->version));
    tell_flows(intake, number, moment, &datagram);
}

void intake_datagram(struct intake *intake, struct policy_input *input,
                     const struct export_datagram *datagram)
{
    enum moment moment = intake_moment_of(intake, datagram->time_ns);
    intake_pass_second(intake, datagram->time_ns, moment);
    for (uint32_t i = 0; intake->plan != NULL && i < intake->plan->input_count; i++) {
        if (intake->plan->inputs[i].input != input) {
            continue;
        }
        if (moment == MOMENT_LATE || moment == MOMENT_FUTURE) {
            desk_lose_all(&intake->plan->inputs[i], moment == MOMENT_FUTURE);
        } else {
            tell_flows(intake, i, moment, datagram);
        }
    }
}

/* ---- Packets -------------------------------------------------------------------------------- */

/* Shows a packet to an input that wants it. */
static void show(struct intake *intake, uint32_t number, const struct intake_packet *p,
                 struct handler_event *event, enum moment moment)
{
    const struct plan_input *input = &intake->plan->inputs[number];
    if (moment == MOMENT_LATE || moment == MOMENT_FUTURE) {
        desk_lose_all(input, moment == MOMENT_FUTURE);
        return;
    }
    event->direction = intake_look_direction(input->input, event, p->packet->direction);
    present(intake, number, event, moment);
    follow(intake, number, p, event);
    if (moment == MOMENT_BEFORE) {
        desk_turn_all(input, false);
    }
}

/* A band writes into the blocks of its members, too. */
static void turn_members(struct intake *intake, const struct plan_group *group, uint64_t mask,
                         bool is_late)
{
    for (; mask != 0; mask &= mask - 1) {
        desk_turn_all(&intake->plan->inputs[group->members[__builtin_ctzll(mask)]], is_late);
    }
}

/* Shows a packet to those members of a group that want it. */
static void show_group(struct intake *intake, const struct plan_group *group, uint64_t mask,
                       const struct intake_packet *p, struct handler_event *event,
                       enum moment moment)
{
    bool is_timely = moment == MOMENT_NOW || moment == MOMENT_BEFORE;
    uint32_t band = is_timely ? policy_band_find(intake->plan, group, mask, event) : 0;
    for (uint64_t left = mask; left != 0; left &= left - 1) {
        uint32_t number = group->members[__builtin_ctzll(left)];
        if (band == 0) {
            show(intake, number, p, event, moment);
        } else {
            note_seen(&intake->inputs[number], &intake->plan->inputs[number], event->time_ns);
        }
    }
    if (band != 0) {
        turn_members(intake, group, moment == MOMENT_BEFORE ? mask : 0, true);
        show(intake, band, p, event, moment);
        turn_members(intake, group, moment == MOMENT_BEFORE ? mask : 0, false);
    }
}

uint32_t intake_packet(struct intake *intake, const struct intake_packet *p)
{
    uint32_t marks = 0;
    struct handler_event event;
    struct handler_message message = {.memory = intake->message};
    if (intake->plan == NULL || intake->plan->input_count == 0) {
        return 0;
    }
    intake_look_fill(&event, p);
    event.message = &message;
    enum moment moment = intake_moment_of(intake, event.time_ns);
    intake_pass_second(intake, event.time_ns, moment);
    for (uint32_t i = 0; i < intake->plan->input_count && i < PLAN_INPUTS; i++) {
        const struct plan_input *input = &intake->plan->inputs[i];
        if (input->input->kind == HANDLER_FLOW &&
            (intake->is_recorded || input->input->file != NULL)) {
            tell_captured(intake, i, moment, &event);
        }
        if (input->input->kind != HANDLER_PCAP || !wants(intake, input->input, p)) {
            continue;
        }
        marks |= intake->inputs[i].mark;
        if (input->group != 0) {
            intake->seen[input->group - 1] |= UINT64_C(1) << input->member;
        } else {
            show(intake, i, p, &event, moment);
        }
    }
    for (uint32_t g = 0; g < intake->plan->group_count; g++) {
        if (intake->seen[g] != 0) {
            show_group(intake, &intake->plan->groups[g], intake->seen[g], p, &event, moment);
            intake->seen[g] = 0;
        }
    }
    return marks;
}

void intake_event(struct intake *intake, struct policy_input *input, struct handler_event *event)
{
    struct handler_message message = {.memory = intake->message};
    event->message = &message;
    enum moment moment = intake_moment_of(intake, event->time_ns);
    intake_pass_second(intake, event->time_ns, moment);
    for (uint32_t i = 0; intake->plan != NULL && i < intake->plan->input_count; i++) {
        if (intake->plan->inputs[i].input != input) {
            continue;
        }
        if (moment == MOMENT_LATE || moment == MOMENT_FUTURE) {
            desk_lose_all(&intake->plan->inputs[i], moment == MOMENT_FUTURE);
            return;
        }
        present(intake, i, event, moment);
        if (moment == MOMENT_BEFORE) {
            desk_turn_all(&intake->plan->inputs[i], false);
        }
    }
}

/* ---- Marks ---------------------------------------------------------------------------------- */

static void publish_times(struct intake *intake)
{
    for (uint32_t i = 0; intake->plan != NULL && i < intake->plan->input_count; i++) {
        struct policy_input *shared = intake->plan->inputs[i].input;
        uint64_t mine = intake->inputs[i].last_ns;
        uint64_t last = atomic_load_explicit(&shared->last_ns, memory_order_relaxed);
        while (mine > last && !atomic_compare_exchange_weak(&shared->last_ns, &last, mine)) {
        }
    }
}

void intake_flush(struct intake *intake, uint64_t now_ns)
{
    /* Time that passes without packets turns the windows, too; but not far ahead of them. */
    uint64_t minute = now_ns / MINUTE_NS;
    if (!intake->is_recorded && minute > intake->minute && intake->minute != 0 &&
        minute <= intake->minute + GUARD_MINUTES) {
        intake->minute = minute;
    }
    bool is_sound = intake->minute == 0 || minute <= intake->minute;
    atomic_store_explicit(&intake->slot->now_ns, is_sound ? now_ns : intake->second * SECOND_NS,
                          memory_order_relaxed);
    if (is_sound && now_ns / SECOND_NS > intake->second && intake->minute != 0) {
        intake->second = now_ns / SECOND_NS;
        tick(intake, now_ns);
    }
    publish_times(intake);
    if (!intake->is_recorded) { /* whoever reads a file asks once, at its end */
        hand_over(intake, intake->minute, false);
    }
}

void intake_settle(struct intake *intake)
{
    intake_flush(intake, intake->second * SECOND_NS);
}

bool intake_is_ready(const struct intake *intake)
{
    return intake->plan != NULL;
}

void intake_end(struct intake *intake)
{
    publish_times(intake);
    if (intake->waits) {
        hand_over(intake, intake->minute, true);
    }
    intake->plan = NULL; /* who changes plans does not wait for this one any more */
    atomic_store(&intake->slot->is_used, false);
}
