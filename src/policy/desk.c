// SPDX-License-Identifier: Apache-2.0
#include "policy/desk.h"

#include <stdlib.h>

#include "base/pages.h"

static void parcel_free(struct parcel *parcel, size_t size)
{
    if (parcel == NULL) {
        return;
    }
    for (unsigned i = 0; i < DESK_BLOCKS; i++) {
        pages_release(parcel->blocks[i], size);
    }
    free(parcel);
}

static struct parcel *parcel_new(const struct handler *handler)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    for (unsigned i = 0; i < DESK_BLOCKS && parcel != NULL; i++) {
        parcel->blocks[i] = pages_reserve_sparse(handler->set->size);
        if (parcel->blocks[i] == NULL) {
            parcel_free(parcel, handler->set->size);
            return NULL;
        }
    }
    return parcel;
}

/* Makes a block of the parcel that is filled the one that events go to. */
static void choose_block(struct desk *desk, unsigned which)
{
    struct parcel *parcel = desk->filling;
    if (!parcel->is_made[which]) {
        metric_block_reset(desk->handler->set, parcel->blocks[which]);
        parcel->is_made[which] = true;
    }
    desk->is_late = which == DESK_BEFORE;
    desk->run.block = parcel->blocks[which];
}

struct desk *desk_new(const struct handler *handler, const void *settings, bool takes_messages)
{
    struct desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        return NULL;
    }
    desk->handler = handler;
    desk->block_size = handler->set->size;
    desk->run.settings = settings;
    desk->run.takes_messages = takes_messages;
    desk->run.state = handler->state_size > 0 ? pages_reserve_sparse(handler->state_size) : NULL;
    desk->filling = parcel_new(handler);
    struct parcel *spare = parcel_new(handler);
    atomic_store(&desk->spare, spare);
    if (desk->filling == NULL || spare == NULL ||
        (handler->state_size > 0 && desk->run.state == NULL)) {
        desk_free(desk);
        return NULL;
    }
    choose_block(desk, DESK_MINUTE);
    return desk;
}

void desk_free(struct desk *desk)
{
    if (desk == NULL) {
        return;
    }
    pages_release(desk->run.state, desk->handler->state_size);
    parcel_free(desk->filling, desk->block_size);
    parcel_free(atomic_load(&desk->spare), desk->block_size);
    parcel_free(atomic_load(&desk->ready), desk->block_size);
    free(desk);
}

/* What others have put into the block makes it one to hand over. */
static void note_touch(struct desk *desk)
{
    if (desk->run.is_touched) {
        desk->filling->used[desk->is_late] = true;
        desk->run.is_touched = false;
    }
}

void desk_close(struct desk *desk)
{
    note_touch(desk);
    if (desk->handler->fold != NULL) {
        desk->handler->fold(&desk->run);
    }
    if (desk->run.second != 0) {
        handler_close_second(desk->handler, &desk->run);
        desk->run.second = 0;
    }
}

void desk_turn(struct desk *desk, bool is_late)
{
    if (desk->is_late != is_late) {
        desk_close(desk);
        choose_block(desk, is_late ? DESK_BEFORE : DESK_MINUTE);
    }
}

bool desk_hand_over(struct desk *desk, uint64_t minute)
{
    const struct parcel *full = desk->filling;
    note_touch(desk);
    if (!full->used[DESK_MINUTE] && !full->used[DESK_BEFORE] && full->late + full->future == 0) {
        desk->filling->minute = minute; /* nothing in it */
        return true;
    }
    struct parcel *spare = atomic_exchange_explicit(&desk->spare, NULL, memory_order_acquire);
    if (spare == NULL) {
        return false;
    }
    desk_close(desk);
    spare->minute = minute;
    atomic_store_explicit(&desk->ready, desk->filling, memory_order_release);
    desk->filling = spare;
    choose_block(desk, DESK_MINUTE);
    return true;
}

void desk_turn_all(const struct plan_input *input, bool is_late)
{
    for (uint32_t c = 0; c < input->chain_count; c++) {
        for (uint32_t d = 0; d < input->chains[c].count; d++) {
            desk_turn(input->chains[c].desks[d], is_late);
        }
    }
}

void desk_lose_all(const struct plan_input *input, bool is_future)
{
    for (uint32_t c = 0; c < input->chain_count; c++) {
        for (uint32_t d = 0; d < input->chains[c].count; d++) {
            struct parcel *parcel = input->chains[c].desks[d]->filling;
            parcel->late += !is_future;
            parcel->future += is_future;
        }
    }
}
