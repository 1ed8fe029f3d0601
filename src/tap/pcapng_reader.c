// SPDX-License-Identifier: Apache-2.0
#include "tap/pcapng_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "tap/tap.h"

/* Block types and option codes, draft-ietf-opsawg-pcapng §4 and §3.5. */
enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OBSOLETE = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_PACKET_ENHANCED = 6,
    BLOCK_SECRETS = 10,

    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_PACKET_FLAGS = 2,
    OPTION_INTERFACE_RESOLUTION = 9,
    OPTION_INTERFACE_OFFSET = 14,
};

enum {
    BLOCK_HEAD = 8,    /* type and total length */
    BLOCK_TRAILER = 4, /* total length once more */
    BLOCK_MIN = BLOCK_HEAD + BLOCK_TRAILER,
    SECTION_MIN = 28,
    SECTION_PREFIX = 12, /* up to the byte order magic */
    SECRETS_HEAD = BLOCK_HEAD + 8, /* kind and size of the secrets, which follow */
};

#define SECRETS_TLS 0x544c534bU /* §4.7: a TLS key log */

#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define NANO UINT64_C(1000000000)

static uint16_t load16(const struct pcap_reader *reader, const uint8_t *at)
{
    return reader->big_endian ? load_be16(at) : load_le16(at);
}

static uint32_t load32(const struct pcap_reader *reader, const uint8_t *at)
{
    return reader->big_endian ? load_be32(at) : load_le32(at);
}

static uint64_t load64(const struct pcap_reader *reader, const uint8_t *at)
{
    return reader->big_endian ? load_be64(at) : load_le64(at);
}

static size_t padded(uint32_t size)
{
    return ((size_t)size + 3) & ~(size_t)3;
}

/* The next option of `options`, which moves on; false at the end. An option that reaches out of
 * its block ends the list: options never decide whether a frame is whole. */
static bool next_option(const struct pcap_reader *reader, struct span *options, uint16_t *code,
                        struct span *value)
{
    if (options->size < 4) {
        return false;
    }
    *code = load16(reader, options->data);
    uint16_t size = load16(reader, options->data + 2);
    if (*code == OPTION_END || size > options->size - 4) {
        return false;
    }
    *value = span_of(options->data + 4, size);
    *options = span_skip(*options, 4 + padded(size));
    return true;
}

/* The number of nanoseconds in a tick of 10^-exponent seconds, as a fraction. */
static void set_decimal(struct pcap_reader_interface *interface, uint8_t exponent)
{
    interface->multiply = 1;
    interface->divide = 1;
    for (uint8_t i = exponent; i < 9; i++) {
        interface->multiply *= 10;
    }
    for (uint8_t i = 9; i < exponent; i++) {
        if (interface->divide > UINT64_MAX / 10) { /* finer than 64 bits can count */
            interface->multiply = 0;
            return;
        }
        interface->divide *= 10;
    }
}

/* if_tsresol: the top bit says that the base is 2 and not 10. */
static void set_resolution(struct pcap_reader_interface *interface, uint8_t resolution)
{
    if (resolution & 0x80) {
        interface->divide = 0;
        interface->shift = resolution & 0x7f;
        return;
    }
    set_decimal(interface, resolution);
}

static void set_offset(struct pcap_reader_interface *interface, int64_t seconds)
{
    if (__builtin_mul_overflow(seconds, (int64_t)NANO, &interface->offset_ns)) {
        interface->offset_ns = seconds < 0 ? INT64_MIN : INT64_MAX;
    }
}

/* Ticks of an interface to nanoseconds since 1970, kept within what a frame can say. */
static uint64_t to_ns(const struct pcap_reader_interface *interface, uint64_t ticks)
{
    unsigned __int128 wide;
    if (interface->divide == 0) {
        wide = (unsigned __int128)ticks * NANO >> interface->shift;
    } else {
        wide = (unsigned __int128)ticks * interface->multiply / interface->divide;
    }
    __int128 ns = (__int128)wide + interface->offset_ns;
    if (ns < 0) {
        return 0;
    }
    return ns >= (__int128)FRAME_NO_TIME ? FRAME_NO_TIME - 1 : (uint64_t)ns;
}

/* A Section Header Block: a new byte order and no interfaces yet. Numbers of interfaces go on. */
static enum pcap_reader_status begin_section(struct pcap_reader *reader, const uint8_t *block)
{
    uint16_t major = load16(reader, block + 12);
    if (major != 1) {
        return pcap_reader_damaged(reader, "damaged: section of pcapng version %u", major);
    }
    reader->interface_base += reader->interface_count;
    reader->interface_count = 0;
    return PCAP_READER_MORE;
}

static bool grow_interfaces(struct pcap_reader *reader)
{
    if (reader->interface_count < reader->interface_room) {
        return true;
    }
    uint32_t room = reader->interface_room == 0 ? 8 : reader->interface_room * 2;
    if (room > PCAP_READER_INTERFACES) {
        return false;
    }
    struct pcap_reader_interface *grown =
        reallocarray(reader->interfaces, room, sizeof reader->interfaces[0]);
    if (grown == NULL) {
        return false;
    }
    reader->interfaces = grown;
    reader->interface_room = room;
    return true;
}

/* An Interface Description Block; `body` lies between the block's two lengths. */
static enum pcap_reader_status add_interface(struct pcap_reader *reader, struct span body)
{
    if (body.size < 8) {
        return pcap_reader_damaged(reader, "damaged: interface block of %zu bytes", body.size);
    }
    if (!grow_interfaces(reader)) {
        return pcap_reader_damaged(reader, "damaged: section with more than %d interfaces",
                                   PCAP_READER_INTERFACES);
    }
    struct pcap_reader_interface *interface = &reader->interfaces[reader->interface_count++];
    *interface = (struct pcap_reader_interface){
        .link = pcap_reader_link(load16(reader, body.data)),
        .snap_len = load32(reader, body.data + 4),
    };
    set_decimal(interface, 6);
    struct span options = span_skip(body, 8);
    struct span value;
    uint16_t code;
    while (next_option(reader, &options, &code, &value)) {
        if (code == OPTION_INTERFACE_RESOLUTION && value.size == 1) {
            set_resolution(interface, value.data[0]);
        } else if (code == OPTION_INTERFACE_OFFSET && value.size == 8) {
            set_offset(interface, (int64_t)load64(reader, value.data));
        }
    }
    return PCAP_READER_MORE;
}

/* The first comment and the direction of a packet. */
static void read_packet_options(const struct pcap_reader *reader, struct span options,
                                struct frame *frame)
{
    struct span value;
    uint16_t code;
    while (next_option(reader, &options, &code, &value)) {
        if (code == OPTION_COMMENT && frame->comment.size == 0) {
            frame->comment = value;
        } else if (code == OPTION_PACKET_FLAGS && value.size == 4) {
            static const uint8_t directions[4] = {FRAME_DIRECTION_UNKNOWN, FRAME_DIRECTION_IN,
                                                  FRAME_DIRECTION_OUT, FRAME_DIRECTION_UNKNOWN};
            frame->direction = directions[load32(reader, value.data) & 3];
        }
    }
}

/* Enhanced and obsolete Packet Blocks, which differ in how wide the interface's number is. */
static enum pcap_reader_status read_packet(struct pcap_reader *reader, uint32_t type,
                                           struct span body, struct frame *frame)
{
    if (body.size < 20) {
        return pcap_reader_damaged(reader, "damaged: packet block of %zu bytes", body.size);
    }
    uint32_t id = type == BLOCK_PACKET_OBSOLETE ? load16(reader, body.data)
                                                : load32(reader, body.data);
    uint32_t cap_len = load32(reader, body.data + 12);
    uint32_t wire_len = load32(reader, body.data + 16);
    if (id >= reader->interface_count) {
        return pcap_reader_damaged(reader, "damaged: packet of interface %" PRIu32
                                   ", its section has %" PRIu32, id, reader->interface_count);
    }
    if (cap_len > body.size - 20 || cap_len > TAP_FRAME_MAX) {
        return pcap_reader_damaged(reader, "damaged: packet of %" PRIu32
                                   " bytes in a block that holds %zu", cap_len, body.size - 20);
    }
    const struct pcap_reader_interface *interface = &reader->interfaces[id];
    uint64_t ticks = (uint64_t)load32(reader, body.data + 4) << 32 | load32(reader, body.data + 8);
    *frame = (struct frame){
        .time_ns = to_ns(interface, ticks),
        .data = body.data + 20,
        .cap_len = cap_len,
        .wire_len = wire_len > cap_len ? wire_len : cap_len,
        .interface = reader->interface_base + id,
        .link = interface->link,
    };
    if (frame->time_ns > reader->latest_ns) {
        reader->latest_ns = frame->time_ns;
    }
    read_packet_options(reader, span_skip(body, 20 + padded(cap_len)), frame);
    return PCAP_READER_MORE;
}

/* A Simple Packet Block: of interface 0, without a time; its captured length is not written down
 * but follows from the snap length (§4.4). */
static enum pcap_reader_status read_simple_packet(struct pcap_reader *reader, struct span body,
                                                  struct frame *frame)
{
    if (body.size < 4 || reader->interface_count == 0) {
        return pcap_reader_damaged(reader, "damaged: simple packet block of %zu bytes, its section "
                                   "has %" PRIu32 " interfaces", body.size,
                                   reader->interface_count);
    }
    uint32_t wire_len = load32(reader, body.data);
    uint32_t snap_len = reader->interfaces[0].snap_len;
    uint32_t cap_len = snap_len != 0 && snap_len < wire_len ? snap_len : wire_len;
    if (cap_len > body.size - 4) {
        cap_len = (uint32_t)(body.size - 4);
    }
    if (cap_len > TAP_FRAME_MAX) {
        return pcap_reader_damaged(reader, "damaged: packet of %" PRIu32
                                   " bytes, a frame has at most %d", cap_len, TAP_FRAME_MAX);
    }
    *frame = (struct frame){
        .time_ns = FRAME_NO_TIME,
        .data = body.data + 4,
        .cap_len = cap_len,
        .wire_len = wire_len,
        .interface = reader->interface_base,
        .link = reader->interfaces[0].link,
    };
    return PCAP_READER_MORE;
}

/* A block of secrets that are worth keeping begins, and its head is there (§4.7). */
static void begin_secrets(struct pcap_reader *reader, struct span bytes, uint32_t total)
{
    uint32_t size = load32(reader, bytes.data + BLOCK_HEAD + 4);
    bool fits = total >= SECRETS_HEAD + BLOCK_TRAILER &&
                size <= total - SECRETS_HEAD - BLOCK_TRAILER;
    if (fits && load32(reader, bytes.data + BLOCK_HEAD) == SECRETS_TLS &&
        capture_secrets_begin(&reader->secrets, reader->latest_ns)) {
        reader->secrets_before = SECRETS_HEAD;
        reader->secrets_left = size;
    }
}

/* Bytes of a block that is stepped over; some may be secrets. */
static void pass(struct pcap_reader *reader, struct span part)
{
    uint32_t before = part.size < reader->secrets_before ? (uint32_t)part.size
                                                         : reader->secrets_before;
    reader->secrets_before -= before;
    struct span text = span_head(span_skip(part, before), reader->secrets_left);
    if (text.size > 0) {
        capture_secrets_add(&reader->secrets, text);
        reader->secrets_left -= (uint32_t)text.size;
    }
    if (reader->secrets_left == 0) {
        capture_secrets_end(&reader->secrets);
    }
}

/* Steps over the rest of a block of no interest, as far as `bytes` goes, and checks its trailer.
 * Only the trailer must be seen whole. */
static enum pcap_reader_status skip_block(struct pcap_reader *reader, struct span *bytes)
{
    size_t n = bytes->size < reader->skip ? bytes->size : (size_t)reader->skip;
    pass(reader, span_head(*bytes, n));
    *bytes = span_skip(*bytes, n);
    reader->skip -= n;
    reader->offset += n;
    if (reader->skip > 0 || bytes->size < BLOCK_TRAILER) {
        return PCAP_READER_MORE;
    }
    uint32_t trailer = load32(reader, bytes->data);
    if (trailer != reader->skip_total) {
        return pcap_reader_damaged(reader, "damaged: block begins with length %" PRIu32
                                   " and ends with %" PRIu32, reader->skip_total, trailer);
    }
    *bytes = span_skip(*bytes, BLOCK_TRAILER);
    reader->offset += BLOCK_TRAILER;
    reader->skip_total = 0;
    return PCAP_READER_MORE;
}

static bool is_looked_at(uint32_t type)
{
    return type == PCAPNG_SECTION_HEADER || type == BLOCK_INTERFACE ||
           type == BLOCK_PACKET_OBSOLETE || type == BLOCK_PACKET_SIMPLE ||
           type == BLOCK_PACKET_ENHANCED;
}

/* A whole block at the front of `block`; `made` says whether it was a packet. */
static enum pcap_reader_status read_block(struct pcap_reader *reader, uint32_t type,
                                          struct span block, struct frame *frame, bool *made)
{
    struct span body = span_of(block.data + BLOCK_HEAD, block.size - BLOCK_MIN);
    *made = false;
    switch (type) {
    case PCAPNG_SECTION_HEADER:
        return begin_section(reader, block.data);
    case BLOCK_INTERFACE:
        return add_interface(reader, body);
    case BLOCK_PACKET_SIMPLE:
        *made = true;
        return read_simple_packet(reader, body, frame);
    default:
        *made = true;
        return read_packet(reader, type, body, frame);
    }
}

/* The head of a block: its byte order if it begins a section, its type and its stated length.
 * False when `bytes` does not hold all of that yet. */
static bool read_block_head(struct pcap_reader *reader, struct span bytes, uint32_t *type,
                            uint32_t *total)
{
    if (bytes.size < BLOCK_HEAD) {
        return false;
    }
    if (load_le32(bytes.data) == PCAPNG_SECTION_HEADER) {
        if (bytes.size < SECTION_PREFIX) {
            return false;
        }
        reader->big_endian = load_be32(bytes.data + 8) == BYTE_ORDER_MAGIC;
        if (!reader->big_endian && load_le32(bytes.data + 8) != BYTE_ORDER_MAGIC) {
            (void)pcap_reader_damaged(reader, "damaged: section without a byte order");
            return false;
        }
    }
    *type = load32(reader, bytes.data);
    *total = load32(reader, bytes.data + 4);
    return true;
}

/* One step: the next block, whole or its beginning. `*made` says whether a frame was written.
 * Returns MORE without having moved on when the block is not all there. */
static enum pcap_reader_status take_block(struct pcap_reader *reader, struct span *bytes,
                                          struct frame *frame, bool *made)
{
    uint32_t type, total;
    if (!read_block_head(reader, *bytes, &type, &total)) {
        return reader->status;
    }
    if (total < (type == PCAPNG_SECTION_HEADER ? SECTION_MIN : BLOCK_MIN)) {
        return pcap_reader_damaged(reader, "damaged: block of %" PRIu32 " bytes", total);
    }
    size_t size = padded(total); /* some writers leave the padding out of the length */
    if (type == BLOCK_SECRETS && bytes->size < SECRETS_HEAD && total >= SECRETS_HEAD) {
        return PCAP_READER_MORE;
    }
    if (!is_looked_at(type)) {
        if (type == BLOCK_SECRETS && bytes->size >= SECRETS_HEAD) {
            begin_secrets(reader, *bytes, total);
        }
        reader->skip_total = total;
        reader->skip_start = reader->offset;
        reader->skip = size - BLOCK_TRAILER;
        return skip_block(reader, bytes);
    }
    if (size > PCAP_READER_RECORD_MAX) {
        return pcap_reader_damaged(reader, "damaged: block of %" PRIu32 " bytes, a packet's has at "
                                   "most %d", total, PCAP_READER_RECORD_MAX);
    }
    if (bytes->size < size) {
        return PCAP_READER_MORE;
    }
    uint32_t trailer = load32(reader, bytes->data + size - BLOCK_TRAILER);
    if (trailer != total) {
        return pcap_reader_damaged(reader, "damaged: block begins with length %" PRIu32
                                   " and ends with %" PRIu32, total, trailer);
    }
    enum pcap_reader_status status =
        read_block(reader, type, span_of(bytes->data, size), frame, made);
    if (status == PCAP_READER_MORE) {
        *bytes = span_skip(*bytes, size);
        reader->offset += size;
    }
    return status;
}

/* Damage in the very first block means that this never was a capture. */
static enum pcap_reader_status verdict(struct pcap_reader *reader)
{
    if (reader->status == PCAP_READER_DAMAGED && reader->damage.offset == 0) {
        reader->status = PCAP_READER_FOREIGN;
    }
    return reader->status;
}

enum pcap_reader_status pcapng_reader_feed(struct pcap_reader *reader, struct span *bytes,
                                           struct frame *frames, uint32_t room, uint32_t *count)
{
    for (;;) {
        uint64_t before = reader->offset;
        bool made = false;
        if (reader->skip_total != 0) {
            skip_block(reader, bytes);
        } else if (*count == room) {
            return bytes->size > 0 ? PCAP_READER_FULL : PCAP_READER_MORE;
        } else {
            take_block(reader, bytes, &frames[*count], &made);
        }
        if (reader->status != PCAP_READER_MORE) {
            return verdict(reader);
        }
        *count += made && reader->offset != before;
        if (reader->offset == before) {
            return PCAP_READER_MORE;
        }
    }
}

enum pcap_reader_status pcapng_reader_end(struct pcap_reader *reader, struct span left)
{
    if (reader->skip_total != 0) {
        return pcap_reader_damaged(reader, "truncated: block promises %" PRIu32
                                   " bytes, %" PRIu64 " are left", reader->skip_total,
                                   reader->offset - reader->skip_start + left.size);
    }
    if (left.size == 0) {
        return PCAP_READER_MORE;
    }
    uint32_t type, total;
    if (!read_block_head(reader, left, &type, &total)) {
        return pcap_reader_damaged(reader, "truncated: a block header has %d bytes, %zu are left",
                                   BLOCK_HEAD, left.size);
    }
    return pcap_reader_damaged(reader, "truncated: block promises %" PRIu32 " bytes, %zu are left",
                               total, left.size);
}
