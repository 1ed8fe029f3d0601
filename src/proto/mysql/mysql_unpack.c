// SPDX-License-Identifier: Apache-2.0
#define ZSTD_STATIC_LINKING_ONLY
#include "proto/mysql/mysql_unpack.h"

#include <zlib.h>
#include <zstd.h>

enum { FREELY = 1 << 20, BLOCK_ROOM = SLAB_BLOCK_MAX - 16, GATHERED_FIRST = 4096 };

bool mysql_unpack_is_idle(const struct mysql_unpacker *u)
{
    return u->header_size == 0;
}

/* ---- Memory --------------------------------------------------------------------------------- */

static void *take_block(void *slab, unsigned count, unsigned size)
{
    return slab_take(slab, (size_t)count * size);
}

static void give_block(void *slab, void *block)
{
    slab_give(slab, block);
}

static void end_packet(struct mysql_unpacker *u, struct slab *slab)
{
    if (u->inflate != NULL) {
        inflateEnd(u->inflate);
        slab_give(slab, u->inflate);
    }
    slab_give(slab, u->gathered);
    u->inflate = NULL;
    u->gathered = NULL;
    u->gathered_size = 0;
    u->header_size = 0;
    u->begun = false;
    u->full = false;
    u->broken = false;
    u->lost = false;
    u->given = 0;
}

void mysql_unpack_reset(struct mysql_unpacker *u, struct slab *slab)
{
    end_packet(u, slab);
    slab_give(slab, u->piece);
    *u = (struct mysql_unpacker){.is_zstd = u->is_zstd};
}

/* What cannot be unpacked is passed over. */
static enum mysql_unpack_step lose(struct mysql_unpacker *u)
{
    u->full = false;
    u->broken = false;
    u->lost = true;
    return MYSQL_UNPACK_LOST;
}

/* ---- zlib ----------------------------------------------------------------------------------- */

static bool begin_inflate(struct mysql_unpacker *u, struct slab *slab)
{
    z_stream *z = slab_take(slab, sizeof *z);
    if (z == NULL) {
        return false;
    }
    *z = (z_stream){.zalloc = take_block, .zfree = give_block, .opaque = slab};
    if (inflateInit(z) != Z_OK) {
        slab_give(slab, z);
        return false;
    }
    u->inflate = z;
    return true;
}

/* Unpacks as much as there is, at most a piece. */
static enum mysql_unpack_step inflate_some(struct mysql_unpacker *u, struct cursor *in,
                                           struct span *ret)
{
    z_stream *z = u->inflate;
    size_t here = cursor_left(in) < u->left ? cursor_left(in) : u->left;
    uint32_t wanted = u->unpacked - u->given;
    z->next_in = (Bytef *)(uintptr_t)in->at;
    z->avail_in = (uInt)here;
    z->next_out = u->piece;
    z->avail_out = wanted < MYSQL_UNPACK_PIECE ? wanted : MYSQL_UNPACK_PIECE;
    uInt room = z->avail_out;
    int status = inflate(z, Z_SYNC_FLUSH);
    size_t taken = here - z->avail_in;
    cursor_skip(in, taken);
    u->left -= (uint32_t)taken;
    u->given += room - z->avail_out;
    u->full = room > 0 && z->avail_out == 0;
    *ret = span_of(u->piece, room - z->avail_out);
    u->broken = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
    if (ret->size > 0) {
        return MYSQL_UNPACK_PIECE_READY;
    }
    if (u->broken) {
        return lose(u);
    }
    bool stuck = taken == 0 && here > 0; /* bytes behind the end of what was packed */
    return stuck || (u->left == 0 && u->given < u->unpacked) ? lose(u) : MYSQL_UNPACK_MORE;
}

/* ---- Zstandard ------------------------------------------------------------------------------ */

static enum mysql_unpack_step unpack_gathered(struct mysql_unpacker *u, struct slab *slab,
                                              struct span *ret)
{
    size_t size = ZSTD_estimateDCtxSize();
    void *workspace = slab_take(slab, size);
    slab_give(slab, u->piece);
    u->piece = slab_take(slab, u->unpacked);
    ZSTD_DCtx *context = workspace != NULL ? ZSTD_initStaticDCtx(workspace, size) : NULL;
    size_t done = 0;
    if (context != NULL && u->piece != NULL) {
        done = ZSTD_decompressDCtx(context, u->piece, u->unpacked, u->gathered, u->gathered_size);
    }
    slab_give(slab, workspace);
    if (done != u->unpacked) { /* errors are numbers that no size is */
        return lose(u);
    }
    u->given = u->unpacked;
    *ret = span_of(u->piece, done);
    return MYSQL_UNPACK_PIECE_READY;
}

static enum mysql_unpack_step gather(struct mysql_unpacker *u, struct slab *slab,
                                     struct cursor *in, struct span *ret)
{
    size_t here = cursor_left(in) < u->left ? cursor_left(in) : u->left;
    size_t wanted = u->gathered_size + here;
    if (u->gathered == NULL || wanted > slab_room(u->gathered)) {
        uint8_t *more =
            slab_grow(slab, u->gathered, wanted < GATHERED_FIRST ? GATHERED_FIRST : wanted);
        if (more == NULL) {
            return lose(u);
        }
        u->gathered = more;
    }
    struct span data = cursor_take(in, here);
    memcpy(u->gathered + u->gathered_size, data.data, data.size);
    u->gathered_size += (uint32_t)here;
    u->left -= (uint32_t)here;
    return u->left == 0 ? unpack_gathered(u, slab, ret) : MYSQL_UNPACK_MORE;
}

/* ---- Packets -------------------------------------------------------------------------------- */

static bool take_header(struct mysql_unpacker *u, struct cursor *in)
{
    while (u->header_size < MYSQL_UNPACK_HEADER && cursor_left(in) > 0) {
        u->header[u->header_size++] = cursor_u8(in);
    }
    if (u->header_size < MYSQL_UNPACK_HEADER) {
        return false;
    }
    u->left = load_le32(u->header) & 0xffffff;
    u->number = u->header[3];
    u->unpacked = load_le32(u->header + 3) >> 8;
    return true;
}

/* Whether what the header promises can be unpacked; gets the memory that takes. */
static bool begin(struct mysql_unpacker *u, struct slab *slab)
{
    u->begun = true;
    if (u->unpacked == 0) {
        return true;
    }
    bool too_much = u->unpacked > FREELY && u->unpacked / MYSQL_UNPACK_FACTOR > u->left;
    if (u->left == 0 || too_much) {
        return false;
    }
    if (u->is_zstd) {
        return u->left <= BLOCK_ROOM && u->unpacked <= BLOCK_ROOM;
    }
    slab_give(slab, u->piece);
    u->piece = slab_take(slab, MYSQL_UNPACK_PIECE);
    return u->piece != NULL && begin_inflate(u, slab);
}

static void pass_over(struct mysql_unpacker *u, struct cursor *in)
{
    size_t here = cursor_left(in) < u->left ? cursor_left(in) : u->left;
    cursor_skip(in, here);
    u->left -= (uint32_t)here;
}

/* One step within a packet. */
static enum mysql_unpack_step take_some(struct mysql_unpacker *u, struct slab *slab,
                                        struct cursor *in, struct span *ret)
{
    if (u->lost) {
        pass_over(u, in);
        return MYSQL_UNPACK_MORE;
    }
    if (u->broken) {
        return lose(u);
    }
    if (u->unpacked == 0) {
        size_t here = cursor_left(in) < u->left ? cursor_left(in) : u->left;
        *ret = cursor_take(in, here);
        u->left -= (uint32_t)here;
        return here > 0 ? MYSQL_UNPACK_PIECE_READY : MYSQL_UNPACK_MORE;
    }
    return u->is_zstd ? gather(u, slab, in, ret) : inflate_some(u, in, ret);
}

static bool is_over(const struct mysql_unpacker *u)
{
    return u->left == 0 && !u->broken && (u->lost || u->unpacked == 0 || u->given == u->unpacked);
}

bool mysql_unpack_has_more(const struct mysql_unpacker *u)
{
    return u->begun && (u->left == 0 || u->full || u->broken);
}

enum mysql_unpack_step mysql_unpack_next(struct mysql_unpacker *u, struct slab *slab,
                                         struct cursor *in, struct span *ret)
{
    for (;;) {
        if (u->begun && is_over(u)) {
            end_packet(u, slab);
        }
        if (cursor_left(in) == 0 && !mysql_unpack_has_more(u)) {
            break;
        }
        if (u->header_size < MYSQL_UNPACK_HEADER && !take_header(u, in)) {
            break;
        }
        if (!u->begun && !begin(u, slab)) {
            return lose(u);
        }
        enum mysql_unpack_step step = take_some(u, slab, in, ret);
        if (step != MYSQL_UNPACK_MORE) {
            return step;
        }
    }
    if (u->header_size == 0) {
        slab_give(slab, u->piece);
        u->piece = NULL;
    }
    return MYSQL_UNPACK_MORE;
}
