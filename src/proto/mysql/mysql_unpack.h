// SPDX-License-Identifier: Apache-2.0
/* The compressed layer of a MySQL connection: packets of a seven-byte header (length, number, length
 * when unpacked) that hold a piece of the stream of plain packets, as zlib or Zstandard or as it is.
 * zlib is unpacked as it comes, through a block of MYSQL_UNPACK_PIECE bytes; a Zstandard packet is
 * gathered first, so both its forms must fit in a slab block. What does not fit, or would grow more
 * than MYSQL_UNPACK_FACTOR times beyond a mebibyte, is passed over like a hole. All memory is the
 * slab's, that of the libraries too, and is given back at each packet's end. One thread. */
#pragma once

#include "base/cursor.h"
#include "base/slab.h"

enum { MYSQL_UNPACK_HEADER = 7, MYSQL_UNPACK_PIECE = 16 << 10, MYSQL_UNPACK_FACTOR = 256 };

enum mysql_unpack_step {
    MYSQL_UNPACK_MORE,  /* all bytes were taken */
    MYSQL_UNPACK_PIECE_READY,
    MYSQL_UNPACK_LOST,  /* what the packet holds cannot be had; it is passed over */
};

struct mysql_unpacker {
    uint8_t header[MYSQL_UNPACK_HEADER];
    uint8_t header_size;
    uint8_t number;     /* of the latest packet */
    bool is_zstd;
    bool lost;          /* the rest of this packet is passed over */
    bool broken;        /* it is to be, once what came before is taken */
    bool begun;         /* the method of this packet is chosen */
    bool full;          /* zlib filled the piece: there may be more without more input */
    uint32_t left;      /* bytes of the packet to come */
    uint32_t unpacked;  /* its size when unpacked; 0: it is as it is */
    uint32_t given;     /* of them */
    void *inflate;      /* slab blocks: z_stream, */
    uint8_t *piece;     /* what is lent, */
    uint8_t *gathered;  /* a Zstandard packet */
    uint32_t gathered_size;
};

/* Takes bytes off `in`; a piece of plain stream is lent in `ret` until the next call. */
enum mysql_unpack_step mysql_unpack_next(struct mysql_unpacker *u, struct slab *slab,
                                         struct cursor *in, struct span *ret);

/* Whether the next call may give something without more bytes. */
bool mysql_unpack_has_more(const struct mysql_unpacker *u);

/* Whether no packet has begun. */
bool mysql_unpack_is_idle(const struct mysql_unpacker *u);

/* Gives all memory back; ready for a packet. */
void mysql_unpack_reset(struct mysql_unpacker *u, struct slab *slab);
