// SPDX-License-Identifier: Apache-2.0
#include "tap/capture_merge.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tap/capture_file.h"
#include "tap/pcap_reader.h"

enum {
    INPUT_FRAMES = 512,
    INPUT_MEMORY = PCAP_READER_RECORD_MAX + (64 << 10),
    INTERFACE_STRIDE = 1 << 16, /* numbers of interfaces that belong to one file */
};

struct input {
    char *path;
    uint32_t order;
    uint64_t key; /* time of the frame that comes next */
    uint64_t counted; /* bytes of it that are in the total of consumed ones */
    struct capture_file *file; /* NULL while its time has not come */
    struct tap_batch batch;
    uint32_t at; /* frame of the batch that comes next */
};

struct capture_merge {
    uint32_t poll_ms;
    uint32_t added;
    struct input **heap; /* the earliest key first */
    size_t count;
    size_t room;
    uint64_t size;
    _Atomic uint64_t consumed;
    struct capture_secrets secrets;
};

struct capture_merge *capture_merge_new(uint32_t poll_ms, struct err *err)
{
    struct capture_merge *merge = calloc(1, sizeof *merge);
    if (merge == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    merge->poll_ms = poll_ms;
    return merge;
}

/* Ends the reading of an input; it can be opened once more. */
static void input_close(struct input *input)
{
    capture_file_close(input->file);
    input->file = NULL;
    free(input->batch.frames);
    free(input->batch.memory);
    input->batch = (struct tap_batch){0};
    input->at = 0;
}

static void input_free(struct input *input)
{
    if (input != NULL) {
        input_close(input);
        free(input->path);
        free(input);
    }
}

void capture_merge_free(struct capture_merge *merge)
{
    if (merge == NULL) {
        return;
    }
    for (size_t i = 0; i < merge->count; i++) {
        input_free(merge->heap[i]);
    }
    free(merge->heap);
    capture_secrets_done(&merge->secrets);
    free(merge);
}

static bool comes_before(const struct input *a, const struct input *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void swap(struct input **a, struct input **b)
{
    struct input *kept = *a;
    *a = *b;
    *b = kept;
}

/* The first input's key has grown: lets it sink to its place. */
static void sink_first(struct capture_merge *merge)
{
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->count; child++) {
            if (comes_before(merge->heap[child], merge->heap[least])) {
                least = child;
            }
        }
        if (least == at) {
            return;
        }
        swap(&merge->heap[at], &merge->heap[least]);
        at = least;
    }
}

static void push(struct capture_merge *merge, struct input *input)
{
    size_t at = merge->count++;
    merge->heap[at] = input;
    while (at > 0 && comes_before(merge->heap[at], merge->heap[(at - 1) / 2])) {
        swap(&merge->heap[at], &merge->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void pop_first(struct capture_merge *merge)
{
    input_free(merge->heap[0]);
    merge->heap[0] = merge->heap[--merge->count];
    sink_first(merge);
}

static bool input_open(struct input *input, uint32_t poll_ms, bool *is_foreign, struct err *err)
{
    input->file = capture_file_open(input->path, input->order * INTERFACE_STRIDE, poll_ms,
                                    is_foreign, err);
    if (input->file == NULL) {
        return false;
    }
    input->batch = (struct tap_batch){
        .frames = calloc(INPUT_FRAMES, sizeof(struct frame)),
        .capacity = INPUT_FRAMES,
        .memory = malloc(INPUT_MEMORY),
        .memory_size = INPUT_MEMORY,
    };
    if (input->batch.frames == NULL || input->batch.memory == NULL) {
        err_set(err, ERR_FAILED, "%s: out of memory", input->path);
        input_close(input);
        return false;
    }
    return true;
}

static void update_key(struct input *input)
{
    uint64_t time_ns = input->batch.frames[input->at].time_ns;
    if (time_ns != FRAME_NO_TIME) {
        input->key = time_ns;
    }
}

/* Reads the next batch of an input, opening it if need be. */
static enum tap_status input_refill(struct capture_merge *merge, struct input *input,
                                    struct err *err)
{
    if (input->file == NULL && !input_open(input, merge->poll_ms, NULL, err)) {
        return TAP_ERROR;
    }
    input->at = 0;
    enum tap_status status = capture_file_next(input->file, &input->batch, err);
    capture_secrets_move(&merge->secrets, capture_file_secrets(input->file));
    uint64_t consumed = capture_file_consumed(input->file);
    atomic_fetch_add_explicit(&merge->consumed, consumed - input->counted, memory_order_relaxed);
    input->counted = consumed;
    if (status == TAP_OK) {
        update_key(input);
    }
    return status;
}

static bool grow_heap(struct capture_merge *merge)
{
    if (merge->count < merge->room) {
        return true;
    }
    size_t room = merge->room == 0 ? 16 : merge->room * 2;
    struct input **grown = reallocarray(merge->heap, room, sizeof(struct input *));
    if (grown == NULL) {
        return false;
    }
    merge->heap = grown;
    merge->room = room;
    return true;
}

/* Finds the time of an input's first frame. A file is closed again, a pipe cannot be and is not
 * waited for either: it comes first until its time is known. */
static bool find_first_time(struct capture_merge *merge, struct input *input, bool *is_foreign,
                            uint64_t *size, struct err *err)
{
    if (!input_open(input, merge->poll_ms, is_foreign, err)) {
        return false;
    }
    *size = capture_file_size(input->file);
    if (!capture_file_is_reopenable(input->file)) {
        return true;
    }
    struct err damage = {0}; /* comes up again when the merge gets there */
    if (capture_file_next(input->file, &input->batch, &damage) == TAP_OK) {
        update_key(input);
    }
    capture_secrets_move(&merge->secrets, capture_file_secrets(input->file));
    input_close(input);
    return true;
}

bool capture_merge_add(struct capture_merge *merge, const char *path, bool *is_foreign,
                       struct err *err)
{
    *is_foreign = false;
    struct input *input = calloc(1, sizeof *input);
    if (input == NULL || (input->path = strdup(path)) == NULL || !grow_heap(merge)) {
        input_free(input);
        return err_set(err, ERR_FAILED, "%s: out of memory", path);
    }
    input->order = merge->added;
    uint64_t size;
    if (!find_first_time(merge, input, is_foreign, &size, err)) {
        input_free(input);
        return false;
    }
    merge->added++;
    merge->size += size;
    push(merge, input);
    return true;
}

size_t capture_merge_count(const struct capture_merge *merge)
{
    return merge->added;
}

/* Copies a frame's bytes to `to`; false when they do not fit. */
static bool copy_frame(const struct frame *from, struct tap_batch *batch, size_t *used)
{
    size_t size = from->cap_len + from->comment.size;
    if (batch->count == batch->capacity || size > batch->memory_size - *used) {
        return false;
    }
    struct frame *frame = &batch->frames[batch->count++];
    *frame = *from;
    frame->data = memcpy(batch->memory + *used, from->data, from->cap_len);
    *used += from->cap_len;
    if (from->comment.size > 0) {
        memcpy(batch->memory + *used, from->comment.data, from->comment.size);
        frame->comment.data = batch->memory + *used;
        *used += from->comment.size;
    }
    return true;
}

/* The first input has no frames at hand. TAP_OK when it has some now, or is done with. */
static enum tap_status refill_first(struct capture_merge *merge, struct err *err)
{
    enum tap_status status = input_refill(merge, merge->heap[0], err);
    switch (status) {
    case TAP_OK:
        sink_first(merge);
        return TAP_OK;
    case TAP_END:
        pop_first(merge);
        return TAP_OK;
    case TAP_ERROR:
        pop_first(merge);
        return TAP_ERROR;
    case TAP_IDLE:
        break;
    }
    return TAP_IDLE;
}

enum tap_status capture_merge_next(struct capture_merge *merge, struct tap_batch *batch,
                                   struct err *err)
{
    size_t used = 0;
    batch->count = 0;
    while (merge->count > 0) {
        struct input *first = merge->heap[0];
        if (first->at == first->batch.count) {
            if (batch->count > 0) {
                return TAP_OK; /* what a refill has to say must not get lost */
            }
            enum tap_status status = refill_first(merge, err);
            if (status != TAP_OK) {
                return status;
            }
            continue;
        }
        if (!copy_frame(&first->batch.frames[first->at], batch, &used)) {
            assert(batch->count > 0);
            return TAP_OK;
        }
        if (++first->at < first->batch.count) {
            update_key(first);
            sink_first(merge);
        }
    }
    return batch->count > 0 ? TAP_OK : TAP_END;
}

struct capture_secrets *capture_merge_secrets(struct capture_merge *merge)
{
    return &merge->secrets;
}

uint64_t capture_merge_size(const struct capture_merge *merge)
{
    return merge->size;
}

uint64_t capture_merge_consumed(const struct capture_merge *merge)
{
    return atomic_load_explicit(&merge->consumed, memory_order_relaxed);
}
