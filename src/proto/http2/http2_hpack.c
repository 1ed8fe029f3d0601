// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_hpack.h"

#include <nghttp2/nghttp2.h>

#include "proto/http2/http2_table.h"

enum { PLACEHOLDER = '?', ENTRY_OVERHEAD = 32 /* RFC 7541 §4.1 */ };

/* An inflater, in a slab block. */
struct live {
    nghttp2_hd_inflater *inflater;
    nghttp2_mem memory; /* the inflater keeps a pointer to it */
};

struct http2_hpack {
    struct live *live;       /* NULL: it is asleep */
    uint8_t *written;        /* asleep: its table; slab; NULL: that is empty */
    struct http2_warm *warm; /* NULL: it never sleeps */
    struct http2_hpack *newer, *older; /* in that list */
    uint32_t written_size;
    uint32_t allowed : 31;
    bool is_within : 1;      /* a block */
};

/* ---- Memory ---------------------------------------------------------------------------------- */

static void *take(size_t size, void *slab)
{
    return slab_take(slab, size);
}

static void give(void *block, void *slab)
{
    slab_give(slab, block);
}

static void *take_zeroed(size_t count, size_t size, void *slab)
{
    size_t bytes;
    void *block = __builtin_mul_overflow(count, size, &bytes) ? NULL : slab_take(slab, bytes);
    return block != NULL ? memset(block, 0, bytes) : NULL;
}

static void *grow(void *block, size_t size, void *slab)
{
    return slab_grow(slab, block, size);
}

static void live_free(struct live *live)
{
    if (live != NULL) {
        struct slab *memory = live->memory.mem_user_data;
        nghttp2_hd_inflate_del(live->inflater);
        slab_give(memory, live);
    }
}

/* NULL when memory is short. */
static struct live *live_new(struct slab *memory, uint32_t allowed)
{
    struct live *live = slab_take(memory, sizeof *live);
    if (live == NULL) {
        return NULL;
    }
    live->memory = (nghttp2_mem){.mem_user_data = memory, .malloc = take, .free = give,
                                 .calloc = take_zeroed, .realloc = grow};
    if (nghttp2_hd_inflate_new2(&live->inflater, &live->memory) != 0) {
        slab_give(memory, live);
        return NULL;
    }
    if (allowed > HTTP2_TABLE_USUAL &&
        nghttp2_hd_inflate_change_table_size(live->inflater, allowed) != 0) {
        live_free(live);
        return NULL;
    }
    return live;
}

/* ---- Sleep ----------------------------------------------------------------------------------- */

static void leave_list(struct http2_hpack *hpack)
{
    struct http2_warm *warm = hpack->warm;
    *(hpack->newer != NULL ? &hpack->newer->older : &warm->newest) = hpack->older;
    *(hpack->older != NULL ? &hpack->older->newer : &warm->oldest) = hpack->newer;
    warm->count--;
}

static void join_list(struct http2_hpack *hpack)
{
    struct http2_warm *warm = hpack->warm;
    hpack->newer = NULL;
    hpack->older = warm->newest;
    *(warm->newest != NULL ? &warm->newest->newer : &warm->oldest) = hpack;
    warm->newest = hpack;
    warm->count++;
}

/* Keeps the table only; false when memory is too short even for that. */
static bool sleep(struct http2_hpack *hpack)
{
    struct slab *memory = hpack->live->memory.mem_user_data;
    size_t size = http2_table_write(hpack->live->inflater, NULL);
    uint8_t *written = size > 0 ? slab_take(memory, size) : NULL;
    if (size > 0 && written == NULL) {
        return false;
    }
    hpack->written = written;
    hpack->written_size = (uint32_t)http2_table_write(hpack->live->inflater, written);
    leave_list(hpack);
    live_free(hpack->live);
    hpack->live = NULL;
    return true;
}

/* It was used: it goes to the front of the list, and who was not used for longest is put to sleep. Who is
 * within a block cannot be. */
static void note_use(struct http2_hpack *hpack, bool is_listed)
{
    struct http2_warm *warm = hpack->warm;
    if (warm == NULL || warm->newest == hpack) {
        return;
    }
    if (is_listed) {
        leave_list(hpack);
    }
    join_list(hpack);
    struct http2_hpack *oldest = warm->oldest;
    uint32_t most = warm->most != 0 ? warm->most : HTTP2_WARM_MAX;
    if (warm->count > most && oldest != hpack && (oldest->is_within || !sleep(oldest))) {
        leave_list(oldest);
        join_list(oldest);
    }
}

bool http2_hpack_wake(struct http2_hpack *hpack, struct slab *memory)
{
    bool is_awake = hpack->live != NULL;
    if (!is_awake) {
        hpack->live = live_new(memory, hpack->allowed);
        struct span written = span_of(hpack->written, hpack->written_size);
        if (hpack->live != NULL && !http2_table_read(hpack->live->inflater, written)) {
            live_free(hpack->live);
            hpack->live = NULL;
        }
        if (hpack->live == NULL) {
            return false;
        }
        slab_give(memory, hpack->written);
        hpack->written = NULL;
    }
    note_use(hpack, is_awake);
    return true;
}

/* ---- Lifetime -------------------------------------------------------------------------------- */

/* Fills the table with entries of an unknown name: one literal with a name of one byte, then the same
 * name by its index (§6.2.1). */
static bool fill(struct live *live)
{
    enum { COUNT = HTTP2_TABLE_USUAL / (ENTRY_OVERHEAD + 1) };
    uint8_t block[4 + 2 * (COUNT - 1)] = {0x40, 1, PLACEHOLDER, 0};
    for (size_t i = 4; i < sizeof block; i += 2) {
        block[i] = 0x40 | 62;
        block[i + 1] = 0;
    }
    return http2_table_read(live->inflater, span_of(block, sizeof block));
}

struct http2_hpack *http2_hpack_new(struct slab *memory, struct http2_warm *warm, bool midway)
{
    struct http2_hpack *hpack = slab_take(memory, sizeof *hpack);
    if (hpack == NULL) {
        return NULL;
    }
    *hpack = (struct http2_hpack){.allowed = HTTP2_TABLE_USUAL, .warm = warm};
    hpack->live = live_new(memory, HTTP2_TABLE_USUAL);
    if (hpack->live == NULL || (midway && !fill(hpack->live))) {
        live_free(hpack->live);
        slab_give(memory, hpack);
        return NULL;
    }
    note_use(hpack, false);
    return hpack;
}

void http2_hpack_free(struct slab *memory, struct http2_hpack *hpack)
{
    if (hpack == NULL) {
        return;
    }
    if (hpack->live != NULL && hpack->warm != NULL) {
        leave_list(hpack);
    }
    live_free(hpack->live);
    slab_give(memory, hpack->written);
    slab_give(memory, hpack);
}

/* Only more is allowed, as what is less comes within the block (§4.2) and may be in force later. */
void http2_hpack_allow(struct http2_hpack *hpack, uint32_t size)
{
    size = size < HTTP2_TABLE_MAX ? size : HTTP2_TABLE_MAX;
    if (size > hpack->allowed &&
        nghttp2_hd_inflate_change_table_size(hpack->live->inflater, size) == 0) {
        hpack->allowed = size & 0x7fffffff;
    }
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

enum http2_unpacked http2_hpack_next(struct http2_hpack *hpack, struct span *data, bool is_last,
                                     struct http2_field *ret)
{
    if (data->size == 0 && !is_last) {
        return HTTP2_NONE;
    }
    static const uint8_t nothing[1];
    nghttp2_nv pair;
    int flags = 0;
    hpack->is_within = true;
    ssize_t used = nghttp2_hd_inflate_hd2(hpack->live->inflater, &pair, &flags,
                                          data->size > 0 ? data->data : nothing, data->size, is_last);
    if (used < 0 || (size_t)used > data->size) {
        return HTTP2_FAILED;
    }
    *data = span_skip(*data, (size_t)used);
    if (flags & NGHTTP2_HD_INFLATE_EMIT) {
        *ret = (struct http2_field){.name = span_of(pair.name, pair.namelen),
                                    .value = span_of(pair.value, pair.valuelen)};
        bool is_known = pair.namelen != 1 || pair.name[0] != PLACEHOLDER;
        return is_known ? HTTP2_FIELD : HTTP2_UNKNOWN;
    }
    if (flags & NGHTTP2_HD_INFLATE_FINAL) {
        nghttp2_hd_inflate_end_headers(hpack->live->inflater);
        hpack->is_within = false;
    }
    return HTTP2_NONE;
}
