// SPDX-License-Identifier: Apache-2.0
#include "tap/capture_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tap/byte_source.h"
#include "tap/mapped_file.h"
#include "tap/pcap_reader.h"

enum {
    READ_MAX = 256 << 10, /* one read(2): large enough to be cheap, small enough for the L2 cache */
    CARRY_MIN = 64 << 10,
    PIECE_AT = PCAP_READER_RECORD_MAX, /* in a batch's memory; before it, what the last one left over */
};

struct capture_file {
    struct byte_source *source;
    struct mapped_file *map; /* NULL: is read */
    struct pcap_reader reader;
    char *name;
    uint8_t *carry; /* bytes left over by the last batch */
    size_t carry_size;
    size_t carry_room;
    uint8_t first[8]; /* of the capture, for the complaint that it is none */
    uint8_t first_count;
    bool may_be_mapped;       /* and was not tried yet */
    _Atomic bool in_pieces;   /* others may read ahead */
    _Atomic uint64_t claimed; /* up to here, by them */
};

_Static_assert((int)MAPPED_FILE_HAVE >= (int)PCAP_READER_RECORD_MAX, "a record fits into a window");
_Static_assert(PIECE_AT + READ_MAX <= TAP_BATCH_MEMORY, "a piece and the record before it fit");

static bool reserve_carry(struct capture_file *file, size_t room)
{
    if (room <= file->carry_room) {
        return true;
    }
    uint8_t *grown = realloc(file->carry, room);
    if (grown == NULL) {
        return false;
    }
    file->carry = grown;
    file->carry_room = room;
    return true;
}

static void note_first(struct capture_file *file, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && file->first_count < sizeof file->first; i++) {
        file->first[file->first_count++] = bytes[i];
    }
}

/* The complaint about a file that is no capture. */
static void complain_foreign(const struct capture_file *file, struct err *err)
{
    if (file->first_count == 0) {
        err_set(err, ERR_FAILED, "%s: is empty", file->name);
        return;
    }
    char bytes[sizeof file->first * 3 + 1] = "";
    for (size_t i = 0; i < file->first_count; i++) {
        snprintf(bytes + i * 3, 4, " %02x", file->first[i]);
    }
    err_set(err, ERR_FAILED,
            "%s: not a capture (first bytes%s); expected pcap or pcapng, plain, .gz or .zst",
            file->name, bytes);
}

/* Reads until the magic is there, and judges it. Only for a regular file, which never waits. */
static bool probe(struct capture_file *file, bool *is_foreign, struct err *err)
{
    while (file->carry_size < PCAP_READER_MAGIC) {
        size_t got;
        enum byte_source_status status =
            byte_source_read(file->source, file->carry + file->carry_size,
                             file->carry_room - file->carry_size, &got, err);
        if (status == BYTE_SOURCE_FAILED) {
            return false;
        }
        note_first(file, file->carry + file->carry_size, got);
        file->carry_size += got;
        if (status == BYTE_SOURCE_END) {
            break;
        }
    }
    if (!pcap_reader_sniff(span_of(file->carry, file->carry_size))) {
        *is_foreign = true;
        complain_foreign(file, err);
        return false;
    }
    file->in_pieces = file->may_be_mapped = byte_source_has_pieces(file->source);
    file->claimed = byte_source_position(file->source);
    return true;
}

struct capture_file *capture_file_open(const char *path, uint32_t interface_base, uint32_t poll_ms,
                                       bool *is_foreign, struct err *err)
{
    bool ignored;
    is_foreign = is_foreign != NULL ? is_foreign : &ignored;
    *is_foreign = false;
    struct capture_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        err_set(err, ERR_FAILED, "%s: out of memory", path);
        return NULL;
    }
    pcap_reader_init(&file->reader, interface_base);
    file->name = strdup(strcmp(path, "-") == 0 ? "standard input" : path);
    if (file->name == NULL || !reserve_carry(file, CARRY_MIN)) {
        err_set(err, ERR_FAILED, "%s: out of memory", path);
        capture_file_close(file);
        return NULL;
    }
    file->source = byte_source_open(path, poll_ms, err);
    if (file->source == NULL ||
        (byte_source_is_file(file->source) && !probe(file, is_foreign, err))) {
        capture_file_close(file);
        return NULL;
    }
    return file;
}

void capture_file_close(struct capture_file *file)
{
    if (file == NULL) {
        return;
    }
    mapped_file_close(file->map);
    byte_source_close(file->source);
    pcap_reader_done(&file->reader);
    free(file->carry);
    free(file->name);
    free(file);
}

/* Turns the reader's verdict into the tap's. */
static enum tap_status stop(const struct capture_file *file, struct err *err)
{
    switch (file->reader.status) {
    case PCAP_READER_DAMAGED:
        err_set(err, ERR_FAILED, "%s: byte %" PRIu64 "%s: %s", file->name,
                file->reader.damage.offset,
                byte_source_is_compressed(file->source) ? " (decompressed)" : "",
                file->reader.damage.reason);
        return TAP_ERROR;
    case PCAP_READER_FOREIGN:
        complain_foreign(file, err);
        return TAP_ERROR;
    default:
        return TAP_END;
    }
}

static enum tap_status keep(struct capture_file *file, struct span left, enum tap_status status,
                            struct err *err)
{
    if (!reserve_carry(file, left.size)) {
        err_set(err, ERR_FAILED, "%s: out of memory", file->name);
        return TAP_ERROR;
    }
    if (left.size > 0) {
        memcpy(file->carry, left.data, left.size);
    }
    file->carry_size = left.size;
    return status;
}

/* Reads behind the `have` bytes at the batch's memory. TAP_OK when some came. */
static enum tap_status read_more(struct capture_file *file, struct tap_batch *batch, size_t *have,
                                 struct err *err)
{
    size_t room = batch->memory_size - *have;
    assert(room > 0);
    size_t got;
    enum byte_source_status status = byte_source_read(
        file->source, batch->memory + *have, room < READ_MAX ? room : READ_MAX, &got, err);
    note_first(file, batch->memory + *have, got);
    *have += got;
    switch (status) {
    case BYTE_SOURCE_DATA:
        return TAP_OK;
    case BYTE_SOURCE_WAIT:
        return TAP_IDLE;
    case BYTE_SOURCE_FAILED:
        return TAP_ERROR;
    case BYTE_SOURCE_END:
        break;
    }
    pcap_reader_end(&file->reader, span_of(batch->memory, *have));
    return stop(file, err);
}

/* What there is to begin with: what was left over, and the piece that was read behind it. A piece from
 * elsewhere is of no use, and from then on there are no more: records so short that a batch does not
 * hold those of a piece, or the end of the file. */
static struct span first_bytes(struct capture_file *file, struct tap_batch *batch)
{
    struct tap_piece piece = batch->piece;
    batch->piece.size = 0;
    uint8_t *at = batch->memory;
    size_t have = file->carry_size;
    if (piece.size > 0 && piece.at == byte_source_position(file->source) && have <= PIECE_AT) {
        at += PIECE_AT - have;
        byte_source_go_to(file->source, piece.at + piece.size);
    } else {
        atomic_store_explicit(&file->in_pieces, false, memory_order_relaxed);
        piece.size = 0;
    }
    memcpy(at, file->carry, have);
    return span_of(at, have + piece.size);
}

/* Maps the file from where the reader is. What was read ahead is there once more. */
static void begin_map(struct capture_file *file)
{
    int fd = byte_source_descriptor(file->source);
    file->may_be_mapped = false;
    file->map = fd >= 0 ? mapped_file_open(fd) : NULL;
    if (file->map != NULL) {
        atomic_store_explicit(&file->in_pieces, false, memory_order_relaxed);
        byte_source_go_to(file->source, byte_source_position(file->source) - file->carry_size);
        file->carry_size = 0;
    }
}

/* What was lent of the map was not the file's any more when it was looked at. */
static enum tap_status tell_loss(const struct capture_file *file, struct err *err)
{
    err_set(err, ERR_FAILED,
            "%s: before byte %" PRIu64 ": became shorter while it was read, or its disk has failed",
            file->name, byte_source_position(file->source));
    return TAP_ERROR;
}

/* The next frames, in the map. TAP_IDLE when it has no more, which is its end: the last record that it did
 * not hold, and what there is to say of it, are read. */
static enum tap_status next_mapped(struct capture_file *file, struct tap_batch *batch, struct err *err)
{
    uint64_t at = byte_source_position(file->source);
    size_t have = 0;
    for (;;) {
        struct span bytes = mapped_file_bytes(file->map, at, have);
        if (mapped_file_is_lost(file->map)) {
            return tell_loss(file, err);
        }
        if (bytes.size == 0) {
            mapped_file_close(file->map);
            file->map = NULL;
            return TAP_IDLE;
        }
        struct span left = bytes;
        enum pcap_reader_status status = pcap_reader_feed(&file->reader, &left, batch->frames,
                                                          batch->capacity, &batch->count);
        at += bytes.size - left.size;
        have = left.size;
        byte_source_go_to(file->source, at);
        if (batch->count > 0) {
            batch->ahead = MAPPED_FILE_AHEAD;
            return TAP_OK;
        }
        if (status != PCAP_READER_MORE) {
            return stop(file, err);
        }
    }
}

enum tap_status capture_file_next(struct capture_file *file, struct tap_batch *batch,
                                  struct err *err)
{
    batch->ahead = 0;
    if (batch->is_alone && file->may_be_mapped) {
        begin_map(file);
    }
    if (file->map != NULL) {
        enum tap_status status = next_mapped(file, batch, err);
        if (status != TAP_IDLE) {
            return status;
        }
    }
    assert(batch->memory_size > PCAP_READER_RECORD_MAX && batch->memory_size >= file->carry_size);
    struct span bytes = first_bytes(file, batch);
    for (;;) {
        enum pcap_reader_status status = pcap_reader_feed(&file->reader, &bytes, batch->frames,
                                                          batch->capacity, &batch->count);
        if (batch->count > 0) {
            return keep(file, bytes, TAP_OK, err);
        }
        if (status != PCAP_READER_MORE) {
            return stop(file, err);
        }
        memmove(batch->memory, bytes.data, bytes.size);
        size_t have = bytes.size;
        enum tap_status more = read_more(file, batch, &have, err);
        bytes = span_of(batch->memory, have);
        if (more != TAP_OK) {
            return keep(file, bytes, more, err);
        }
    }
}

bool capture_file_claim(struct capture_file *file, struct tap_batch *batch)
{
    batch->piece.size = 0;
    if (!atomic_load_explicit(&file->in_pieces, memory_order_relaxed)) {
        return false;
    }
    batch->piece.at = atomic_fetch_add_explicit(&file->claimed, READ_MAX, memory_order_relaxed);
    return true;
}

void capture_file_fill(const struct capture_file *file, struct tap_batch *batch)
{
    batch->piece.size = byte_source_read_at(file->source, batch->piece.at,
                                            batch->memory + PIECE_AT, READ_MAX);
}

struct capture_secrets *capture_file_secrets(struct capture_file *file)
{
    return &file->reader.secrets;
}

bool capture_file_is_reopenable(const struct capture_file *file)
{
    return byte_source_is_file(file->source);
}

uint64_t capture_file_size(const struct capture_file *file)
{
    return byte_source_size(file->source);
}

uint64_t capture_file_consumed(const struct capture_file *file)
{
    return byte_source_consumed(file->source);
}
