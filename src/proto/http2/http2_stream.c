// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_stream.h"

/* Where a stream of that id is, or would be. */
static uint32_t place_of(const struct http2_streams *streams, uint32_t id)
{
    uint32_t low = 0, high = streams->count;
    if (high > 0 && streams->items[high - 1]->id < id) {
        return high;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (streams->items[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct http2_stream *http2_streams_find(const struct http2_streams *streams, uint32_t id)
{
    uint32_t at = place_of(streams, id);
    return at < streams->count && streams->items[at]->id == id ? streams->items[at] : NULL;
}

struct http2_stream *http2_streams_add(struct http2_streams *streams, struct slab *memory, uint32_t id)
{
    size_t size = (streams->count + 1) * sizeof *streams->items;
    if (streams->count == HTTP2_STREAMS_MAX) {
        return NULL;
    }
    if (streams->items == NULL || slab_room(streams->items) < size) {
        struct http2_stream **items = slab_grow(memory, streams->items, size);
        if (items == NULL) {
            return NULL;
        }
        streams->items = items;
    }
    struct http2_stream *stream = slab_take(memory, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    *stream = (struct http2_stream){.id = id};
    uint32_t at = place_of(streams, id);
    memmove(streams->items + at + 1, streams->items + at,
            (streams->count - at) * sizeof *streams->items);
    streams->items[at] = stream;
    streams->count++;
    return stream;
}

void http2_streams_remove(struct http2_streams *streams, struct slab *memory,
                          struct http2_stream *stream)
{
    uint32_t at = place_of(streams, stream->id);
    http2_fields_done(&stream->message[0].fields, memory);
    http2_fields_done(&stream->message[1].fields, memory);
    slab_give(memory, stream);
    streams->count--;
    memmove(streams->items + at, streams->items + at + 1,
            (streams->count - at) * sizeof *streams->items);
    if (streams->count == 0) {
        slab_give(memory, streams->items);
        streams->items = NULL;
    }
}
