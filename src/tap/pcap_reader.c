// SPDX-License-Identifier: Apache-2.0
#include "tap/pcap_reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "tap/pcapng_reader.h"
#include "tap/tap.h"

enum {
    FILE_HEAD = 24,
    RECORD_HEAD = 16,
    KUZNETSOV_HEAD = 24, /* Linux 2.2's libpcap: interface index, protocol and packet type added */
};

#define MAGIC_MICRO 0xa1b2c3d4U
#define MAGIC_NANO 0xa1b23c4dU
#define MAGIC_KUZNETSOV 0xa1b2cd34U

void pcap_reader_init(struct pcap_reader *reader, uint32_t interface_base)
{
    *reader = (struct pcap_reader){.interface_base = interface_base};
}

void pcap_reader_done(struct pcap_reader *reader)
{
    free(reader->interfaces);
    reader->interfaces = NULL;
    capture_secrets_done(&reader->secrets);
}

enum pcap_reader_status pcap_reader_damaged(struct pcap_reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reader->damage.reason, sizeof reader->damage.reason, format, args);
    va_end(args);
    reader->damage.offset = reader->skip_total != 0 ? reader->skip_start : reader->offset;
    reader->status = PCAP_READER_DAMAGED;
    return reader->status;
}

static bool is_pcap_magic(uint32_t magic)
{
    return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_KUZNETSOV;
}

bool pcap_reader_sniff(struct span bytes)
{
    return bytes.size >= PCAP_READER_MAGIC &&
           (is_pcap_magic(load_le32(bytes.data)) || is_pcap_magic(load_be32(bytes.data)) ||
            load_le32(bytes.data) == PCAPNG_SECTION_HEADER);
}

static enum pcap_reader_status foreign(struct pcap_reader *reader)
{
    reader->status = PCAP_READER_FOREIGN;
    return reader->status;
}

/* The file header of a pcap, all of it at `head`. */
static enum pcap_reader_status read_file_head(struct pcap_reader *reader, const uint8_t *head)
{
    reader->big_endian = is_pcap_magic(load_be32(head));
    uint32_t magic = reader->big_endian ? load_be32(head) : load_le32(head);
    uint16_t major = reader->big_endian ? load_be16(head + 4) : load_le16(head + 4);
    if (major != 2) { /* the only version there has been since 1989 */
        return foreign(reader);
    }
    reader->format = PCAP_READER_PCAP;
    reader->fraction_ns = magic == MAGIC_NANO ? 1 : 1000;
    reader->head_size = magic == MAGIC_KUZNETSOV ? KUZNETSOV_HEAD : RECORD_HEAD;
    reader->link = pcap_reader_link(reader->big_endian ? load_be32(head + 20) : load_le32(head + 20));
    reader->offset = FILE_HEAD;
    return PCAP_READER_MORE;
}

/* Finds out the format; a pcap's file header is taken, a pcapng begins with an ordinary block. */
static enum pcap_reader_status read_magic(struct pcap_reader *reader, struct span *bytes)
{
    if (bytes->size < PCAP_READER_MAGIC) {
        return PCAP_READER_MORE;
    }
    if (!pcap_reader_sniff(*bytes)) {
        return foreign(reader);
    }
    if (load_le32(bytes->data) == PCAPNG_SECTION_HEADER) {
        reader->format = PCAP_READER_PCAPNG;
        return PCAP_READER_MORE;
    }
    if (bytes->size < FILE_HEAD) {
        return PCAP_READER_MORE;
    }
    enum pcap_reader_status status = read_file_head(reader, bytes->data);
    *bytes = span_skip(*bytes, FILE_HEAD);
    return status;
}

static inline uint32_t word(const uint8_t *at, bool big_endian)
{
    return big_endian ? load_be32(at) : load_le32(at);
}

/* The hot loop; inlined once for each byte order so that a word is one load. */
static inline __attribute__((always_inline)) enum pcap_reader_status
take_records(struct pcap_reader *reader, struct span *bytes, struct frame *frames, uint32_t room,
             uint32_t *count, bool big_endian)
{
    const uint8_t *at = bytes->data;
    const uint8_t *end = at + bytes->size;
    const uint32_t head_size = reader->head_size;
    const uint64_t fraction_ns = reader->fraction_ns;
    const struct frame base = {.link = reader->link, .interface = reader->interface_base};
    enum pcap_reader_status status = PCAP_READER_MORE;
    uint32_t n = 0;
    while ((size_t)(end - at) >= head_size) {
        uint32_t cap_len = word(at + 8, big_endian);
        uint32_t wire_len = word(at + 12, big_endian);
        if (cap_len > TAP_FRAME_MAX) {
            status = PCAP_READER_DAMAGED;
            break;
        }
        if ((size_t)(end - at) - head_size < cap_len) {
            break;
        }
        if (n == room) {
            status = PCAP_READER_FULL;
            break;
        }
        struct frame *frame = &frames[n++];
        *frame = base;
        frame->time_ns = word(at, big_endian) * UINT64_C(1000000000) +
                         word(at + 4, big_endian) * fraction_ns;
        frame->data = at + head_size;
        frame->cap_len = cap_len;
        frame->wire_len = wire_len > cap_len ? wire_len : cap_len;
        at += head_size + cap_len;
    }
    reader->offset += (uint64_t)(at - bytes->data);
    *bytes = span_of(at, (size_t)(end - at));
    *count = n;
    return status;
}

static enum pcap_reader_status feed_pcap(struct pcap_reader *reader, struct span *bytes,
                                         struct frame *frames, uint32_t room, uint32_t *count)
{
    enum pcap_reader_status status =
        reader->big_endian ? take_records(reader, bytes, frames, room, count, true)
                           : take_records(reader, bytes, frames, room, count, false);
    if (status == PCAP_READER_DAMAGED) {
        return pcap_reader_damaged(
            reader, "damaged: record header promises %" PRIu32 " bytes, a frame has at most %d",
            word(bytes->data + 8, reader->big_endian), TAP_FRAME_MAX);
    }
    return status;
}

enum pcap_reader_status pcap_reader_feed(struct pcap_reader *reader, struct span *bytes,
                                         struct frame *frames, uint32_t room, uint32_t *count)
{
    *count = 0;
    if (reader->status != PCAP_READER_MORE) {
        return reader->status;
    }
    if (reader->format == PCAP_READER_UNKNOWN) {
        enum pcap_reader_status status = read_magic(reader, bytes);
        if (status != PCAP_READER_MORE || reader->format == PCAP_READER_UNKNOWN) {
            return status;
        }
    }
    return reader->format == PCAP_READER_PCAP
               ? feed_pcap(reader, bytes, frames, room, count)
               : pcapng_reader_feed(reader, bytes, frames, room, count);
}

enum pcap_reader_status pcap_reader_end(struct pcap_reader *reader, struct span left)
{
    if (reader->status != PCAP_READER_MORE) {
        return reader->status;
    }
    switch (reader->format) {
    case PCAP_READER_UNKNOWN:
        if (!pcap_reader_sniff(left)) {
            return foreign(reader);
        }
        return pcap_reader_damaged(reader, "truncated: the file header has %d bytes, %zu are left",
                                   FILE_HEAD, left.size);
    case PCAP_READER_PCAPNG:
        return pcapng_reader_end(reader, left);
    case PCAP_READER_PCAP:
        break;
    }
    if (left.size == 0) {
        return PCAP_READER_MORE;
    }
    if (left.size < reader->head_size) {
        return pcap_reader_damaged(reader, "truncated: a record header has %" PRIu32
                                   " bytes, %zu are left", reader->head_size, left.size);
    }
    return pcap_reader_damaged(reader, "truncated: record header promises %" PRIu32
                               " bytes, %zu are left", word(left.data + 8, reader->big_endian),
                               left.size - reader->head_size);
}
