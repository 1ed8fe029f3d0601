// SPDX-License-Identifier: Apache-2.0
#include "flow/tcp_early.h"

#include "flow/tcp_stream.h"

#include <assert.h>

struct tcp_early {
    uint32_t first; /* entries[first .. first + count) */
    uint32_t count;
    uint32_t bytes; /* captured ones, of all entries */
    uint32_t capacity;
    struct tcp_early_entry entries[];
};

enum { CAPACITY_MIN = 14 }; /* what fits in a block of 256 bytes */

/* ---- The array ------------------------------------------------------------------------------ */

static uint32_t capacity_in(size_t room)
{
    return (uint32_t)((room - sizeof(struct tcp_early)) / sizeof(struct tcp_early_entry));
}

/* Room for one more entry at the end, made where entries were dropped or in a larger block. What
 * moves is at most what was dropped, so that a drop pays for it. */
static bool make_room(struct tcp_early **queue, struct slab *slab)
{
    struct tcp_early *q = *queue;
    if (q != NULL && q->first + q->count < q->capacity) {
        return true;
    }
    if (q != NULL && q->first >= q->count) {
        memcpy(q->entries, q->entries + q->first, q->count * sizeof *q->entries);
        q->first = 0;
        return true;
    }
    uint32_t capacity = q == NULL ? CAPACITY_MIN : q->capacity + 1;
    struct tcp_early *larger = slab_grow(slab, q, sizeof *q + capacity * sizeof *q->entries);
    if (larger == NULL) {
        return false;
    }
    if (q == NULL) {
        *larger = (struct tcp_early){0};
    }
    larger->capacity = capacity_in(slab_room(larger));
    *queue = larger;
    return true;
}

/* Where the entry stands, or would, that ends behind `seq`; counted from the first. */
static uint32_t find(const struct tcp_early *q, uint32_t seq)
{
    uint32_t low = 0;
    uint32_t high = q == NULL ? 0 : q->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct tcp_early_entry *entry = &q->entries[q->first + middle];
        if (tcp_early_distance(entry->seq + entry->size, seq) > 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Puts an entry at that place, of the first `n` bytes of the segment: captured ones, or cut ones. */
static bool insert(struct tcp_early **queue, struct slab *slab, uint32_t place,
                   const struct tcp_early_segment *segment, uint32_t n)
{
    bool captured = segment->data.size > 0;
    uint32_t had = *queue == NULL ? 0 : (*queue)->bytes;
    if ((captured && had + n > TCP_STREAM_EARLY_MAX) ||
        (*queue != NULL && (*queue)->count >= TCP_STREAM_SEGMENTS_MAX)) {
        return false;
    }
    struct tcp_early_bytes *bytes = captured ? slab_take(slab, sizeof *bytes + n) : NULL;
    if (captured && bytes == NULL) {
        return false;
    }
    if (!make_room(queue, slab)) {
        slab_give(slab, bytes);
        return false;
    }
    if (captured) {
        bytes->time_ns = segment->time_ns;
        bytes->acknowledged = segment->acknowledged;
        memcpy(bytes->data, segment->data.data, n);
    }
    struct tcp_early *q = *queue;
    struct tcp_early_entry *at = &q->entries[q->first + place];
    memmove(at + 1, at, (q->count - place) * sizeof *at);
    *at = (struct tcp_early_entry){.seq = segment->seq, .size = n, .bytes = bytes};
    q->count++;
    q->bytes += captured ? n : 0;
    return true;
}

/* ---- Private to flow/ ------------------------------------------------------------------------ */

void tcp_early_trim(struct tcp_early_segment *segment, uint32_t n)
{
    uint32_t captured = n < segment->data.size ? n : (uint32_t)segment->data.size;
    uint32_t cut = n - captured < segment->cut ? n - captured : segment->cut;
    if (captured > 0) { /* of none NULL is allowed */
        segment->data = span_skip(segment->data, captured);
    }
    segment->cut -= cut;
    segment->seq += captured + cut;
}

const struct tcp_early_entry *tcp_early_head(const struct tcp_early *queue)
{
    return queue == NULL ? NULL : &queue->entries[queue->first];
}

void tcp_early_skip(struct tcp_early *queue, uint32_t n)
{
    struct tcp_early_entry *head = &queue->entries[queue->first];
    assert(head->bytes == NULL && n < head->size);
    head->seq += n;
    head->size -= n;
}

void tcp_early_pop(struct tcp_early **queue, struct slab *slab)
{
    struct tcp_early *q = *queue;
    struct tcp_early_entry *head = &q->entries[q->first];
    q->bytes -= head->bytes == NULL ? 0 : head->size;
    slab_give(slab, head->bytes);
    q->first++;
    q->count--;
    if (q->count == 0) {
        slab_give(slab, q);
        *queue = NULL;
    }
}

uint32_t tcp_early_put(struct tcp_early **queue, struct slab *slab,
                       struct tcp_early_segment *segment)
{
    uint32_t repeated = 0;
    uint32_t place = find(*queue, segment->seq);
    while (segment->data.size + segment->cut > 0) {
        const struct tcp_early *q = *queue;
        uint32_t captured = (uint32_t)segment->data.size;
        uint32_t n = captured > 0 ? captured : segment->cut;
        if (q != NULL && place < q->count) {
            const struct tcp_early_entry *entry = &q->entries[q->first + place];
            int32_t before = tcp_early_distance(entry->seq, segment->seq);
            if (before <= 0) {
                uint32_t rest = entry->size - (uint32_t)-before;
                repeated += rest < captured ? rest : captured;
                tcp_early_trim(segment, rest);
                place++;
                continue;
            }
            n = (uint32_t)before < n ? (uint32_t)before : n;
        }
        if (!insert(queue, slab, place, segment, n)) {
            break;
        }
        tcp_early_trim(segment, n);
        place++;
    }
    return repeated;
}

void tcp_early_clear(struct tcp_early **queue, struct slab *slab)
{
    while (*queue != NULL) {
        tcp_early_pop(queue, slab);
    }
}
