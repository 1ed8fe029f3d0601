// SPDX-License-Identifier: Apache-2.0
/* The parts of Zstandard's interface that take memory from the caller and go block by block. */
#define ZSTD_STATIC_LINKING_ONLY
#define ZSTD_DISABLE_DEPRECATE_WARNINGS

#include "proto/mongodb/mongodb_unpack.h"

#include <zlib.h>
#include <zstd.h>

#include "base/cursor.h"
#include "base/snappy.h"

enum { NONE = 0, SNAPPY = 1, ZLIB = 2, ZSTANDARD = 3, HEAD = 9 };

bool mongodb_packed_read(struct span body, struct mongodb_packed *ret)
{
    if (body.size < HEAD) {
        return false;
    }
    *ret = (struct mongodb_packed){
        .opcode = load_le32(body.data),
        .size = load_le32(body.data + 4),
        .compressor = body.data[8],
        .bytes = span_skip(body, HEAD),
    };
    return ret->compressor <= ZSTANDARD;
}

/* ---- zlib ----------------------------------------------------------------------------------- */

static void *take_for_zlib(void *slab, unsigned count, unsigned size)
{
    return slab_take(slab, (size_t)count * size);
}

static void give_for_zlib(void *slab, void *block)
{
    slab_give(slab, block);
}

static size_t unpack_zlib(struct slab *slab, struct span from, uint8_t *to, size_t room)
{
    z_stream z = {
        .zalloc = take_for_zlib,
        .zfree = give_for_zlib,
        .opaque = slab,
        .next_in = (Bytef *)(uintptr_t)from.data,
        .avail_in = (uInt)from.size,
        .next_out = to,
        .avail_out = (uInt)room,
    };
    if (inflateInit(&z) != Z_OK) {
        return 0;
    }
    (void)inflate(&z, Z_SYNC_FLUSH);
    (void)inflateEnd(&z);
    return room - z.avail_out;
}

/* ---- Zstandard ------------------------------------------------------------------------------ */

/* Block by block, until the output is full or the input ends: each step wants so many bytes. */
static size_t unpack_blocks(ZSTD_DCtx *context, struct span from, uint8_t *to, size_t room)
{
    size_t used = 0;
    if (ZSTD_isError(ZSTD_decompressBegin(context))) {
        return 0;
    }
    for (size_t wanted = ZSTD_nextSrcSizeToDecompress(context); wanted > 0 && wanted <= from.size;
         wanted = ZSTD_nextSrcSizeToDecompress(context)) {
        size_t made = ZSTD_decompressContinue(context, to + used, room - used, from.data, wanted);
        if (ZSTD_isError(made)) {
            break;
        }
        used += made;
        from = span_skip(from, wanted);
    }
    return used;
}

static size_t unpack_zstandard(struct slab *slab, struct span from, uint8_t *to, size_t room)
{
    size_t size = ZSTD_estimateDCtxSize();
    void *workspace = slab_take(slab, size);
    if (workspace == NULL) {
        return 0;
    }
    ZSTD_DCtx *context = ZSTD_initStaticDCtx(workspace, size);
    size_t used = context != NULL ? unpack_blocks(context, from, to, room) : 0;
    slab_give(slab, workspace);
    return used;
}

/* ---- Any ------------------------------------------------------------------------------------ */

static size_t unpack_by(struct slab *slab, const struct mongodb_packed *packed, uint8_t *to,
                        size_t room)
{
    bool whole;
    switch (packed->compressor) {
    case SNAPPY:
        return snappy_unpack(packed->bytes, to, room, &whole);
    case ZLIB:
        return unpack_zlib(slab, packed->bytes, to, room);
    default:
        return unpack_zstandard(slab, packed->bytes, to, room);
    }
}

/* How many bytes are unpacked of what says that it has `packed->size`. */
static size_t room_for(struct mongodb_packed *packed, size_t most)
{
    size_t dense = PROTO_DENSITY_MAX * packed->bytes.size;
    size_t room = most < dense ? most : dense;
    packed->cut = most <= dense ? PROTO_CUT_AT_MOST : PROTO_CUT_DENSE;
    room = room > MONGODB_UNPACKED_MAX ? room : MONGODB_UNPACKED_MAX;
    if (packed->size <= room) {
        room = packed->size;
        packed->cut = PROTO_CUT_NOT;
    }
    return room;
}

bool mongodb_unpack(struct slab *slab, struct mongodb_packed *packed, size_t most, struct span *ret,
                    uint8_t **block)
{
    *block = NULL;
    packed->cut = PROTO_CUT_NOT;
    if (packed->compressor == NONE) {
        *ret = packed->bytes;
        return true;
    }
    size_t room = room_for(packed, most);
    uint8_t *to = slab_take_large(slab, room);
    if (to == NULL && room > MONGODB_UNPACKED_MAX) {
        packed->cut = PROTO_CUT_SHORT;
        room = MONGODB_UNPACKED_MAX;
        to = slab_take(slab, room);
    }
    if (to == NULL) {
        return false;
    }
    size_t used = unpack_by(slab, packed, to, room);
    *ret = span_of(to, used);
    *block = to;
    return used > 0;
}
