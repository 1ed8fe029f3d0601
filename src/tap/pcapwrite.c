// SPDX-License-Identifier: Apache-2.0
#include "tap/pcapwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap/pcap_reader.h"
#include "tap/tap.h"

enum {
    BUFFER_SIZE = 256 << 10,
    TAG_SIZE = 4,      /* of a VLAN tag */
    MACS_SIZE = 12,    /* the two addresses before a VLAN tag */
    OPTION_HEAD = 4,
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_PACKET_FLAGS = 2,
    OPTION_INTERFACE_RESOLUTION = 9,
};

/* An interface block that was written; its place in the table is its number in the file. */
struct written_interface {
    uint32_t interface;
    uint16_t link;
};

struct pcapwrite {
    char *name;
    int fd;
    bool is_pcapng;
    bool has_begun; /* the file header is written */
    bool has_failed;
    uint16_t link; /* of a pcap */
    struct written_interface *interfaces;
    uint32_t interface_count;
    uint32_t interface_room;
    uint32_t last; /* the interface of the frame before: mostly that of the next */
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
};

static bool fail(struct pcapwrite *writer, const char *reason, struct err *err)
{
    if (!writer->has_failed) {
        writer->has_failed = true;
        err_set(err, ERR_FAILED, "%s: %s", writer->name, reason);
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

struct pcapwrite *pcapwrite_open(const char *path, enum pcapwrite_format format, struct err *err)
{
    bool is_stdout = strcmp(path, "-") == 0;
    struct pcapwrite *writer = calloc(1, sizeof *writer);
    if (writer == NULL || (writer->name = strdup(is_stdout ? "standard output" : path)) == NULL) {
        err_set(err, ERR_FAILED, "%s: out of memory", path);
        free(writer);
        return NULL;
    }
    writer->is_pcapng = format == PCAPWRITE_PCAPNG ||
                        (format == PCAPWRITE_BY_NAME && ends_with(path, ".pcapng"));
    writer->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                           : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (writer->fd < 0) {
        err_set(err, ERR_FAILED, "%s: %s", writer->name, strerror(errno));
        free(writer->name);
        free(writer);
        return NULL;
    }
    return writer;
}

bool pcapwrite_flush(struct pcapwrite *writer, struct err *err)
{
    if (writer->has_failed) {
        return false;
    }
    for (size_t at = 0; at < writer->used;) {
        ssize_t n = write(writer->fd, writer->buffer + at, writer->used - at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail(writer, strerror(errno), err);
        }
        at += (size_t)n;
    }
    writer->used = 0;
    return true;
}

/* Appends bytes; a failure to make room shows at the next flush of the caller. */
static void put(struct pcapwrite *writer, const void *bytes, size_t size, struct err *err)
{
    const uint8_t *at = bytes;
    while (size > 0 && !writer->has_failed) {
        size_t room = BUFFER_SIZE - writer->used;
        size_t n = size < room ? size : room;
        memcpy(writer->buffer + writer->used, at, n);
        writer->used += n;
        at += n;
        size -= n;
        if (writer->used == BUFFER_SIZE) {
            (void)pcapwrite_flush(writer, err);
        }
    }
}

static void put16(struct pcapwrite *writer, uint16_t value, struct err *err)
{
    put(writer, (uint8_t[2]){(uint8_t)value, (uint8_t)(value >> 8)}, 2, err);
}

static void put32(struct pcapwrite *writer, uint32_t value, struct err *err)
{
    put16(writer, (uint16_t)value, err);
    put16(writer, (uint16_t)(value >> 16), err);
}

static uint32_t padding(size_t size)
{
    return (uint32_t)(-size & 3);
}

static void put_padding(struct pcapwrite *writer, size_t size, struct err *err)
{
    put(writer, (uint8_t[3]){0}, padding(size), err);
}

/* How many bytes longer the frame becomes by the tag that the kernel took off it. */
static uint32_t tag_size(const struct frame *frame)
{
    bool has_tag = frame->vlan_tpid != 0 && frame->link == FRAME_LINK_ETHERNET &&
                   frame->cap_len >= MACS_SIZE;
    return has_tag ? TAG_SIZE : 0;
}

static void put_data(struct pcapwrite *writer, const struct frame *frame, struct err *err)
{
    uint32_t before = tag_size(frame) != 0 ? MACS_SIZE : 0;
    put(writer, frame->data, before, err);
    if (before != 0) {
        const uint8_t tag[TAG_SIZE] = {
            (uint8_t)(frame->vlan_tpid >> 8), (uint8_t)frame->vlan_tpid,
            (uint8_t)(frame->vlan_tci >> 8), (uint8_t)frame->vlan_tci};
        put(writer, tag, sizeof tag, err);
    }
    put(writer, frame->data + before, frame->cap_len - before, err);
}

static void begin_pcap(struct pcapwrite *writer, uint16_t link, struct err *err)
{
    put32(writer, 0xa1b23c4d, err); /* nanoseconds */
    put16(writer, 2, err);
    put16(writer, 4, err);
    put32(writer, 0, err);
    put32(writer, 0, err);
    put32(writer, TAP_FRAME_MAX, err);
    put32(writer, link, err);
    writer->link = link;
    writer->has_begun = true;
}

static void begin_pcapng(struct pcapwrite *writer, struct err *err)
{
    put32(writer, 0x0a0d0d0a, err);
    put32(writer, 28, err);
    put32(writer, 0x1a2b3c4d, err);
    put16(writer, 1, err);
    put16(writer, 0, err);
    put32(writer, UINT32_MAX, err); /* the section's length is not known beforehand */
    put32(writer, UINT32_MAX, err);
    put32(writer, 28, err);
    writer->has_begun = true;
}

static bool write_pcap(struct pcapwrite *writer, const struct frame *frame, struct err *err)
{
    if (!writer->has_begun) {
        begin_pcap(writer, frame->link, err);
    }
    if (frame->link != writer->link) {
        return fail(writer, "a pcap file holds one link type and these frames have several; "
                    "use a name that ends with .pcapng", err);
    }
    uint64_t time_ns = frame->time_ns == FRAME_NO_TIME ? 0 : frame->time_ns;
    uint64_t seconds = time_ns / 1000000000;
    put32(writer, seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX, err);
    put32(writer, (uint32_t)(time_ns % 1000000000), err);
    put32(writer, frame->cap_len + tag_size(frame), err);
    put32(writer, frame->wire_len, err);
    put_data(writer, frame, err);
    return !writer->has_failed;
}

static bool is_interface(const struct written_interface *written, const struct frame *frame)
{
    return written->interface == frame->interface && written->link == frame->link;
}

static bool add_interface(struct pcapwrite *writer, const struct frame *frame, struct err *err)
{
    if (writer->interface_count == writer->interface_room) {
        uint32_t room = writer->interface_room == 0 ? 8 : writer->interface_room * 2;
        struct written_interface *grown =
            room > PCAP_READER_INTERFACES
                ? NULL
                : reallocarray(writer->interfaces, room, sizeof writer->interfaces[0]);
        if (grown == NULL) {
            return fail(writer, "too many interfaces for one capture file", err);
        }
        writer->interfaces = grown;
        writer->interface_room = room;
    }
    writer->last = writer->interface_count++;
    writer->interfaces[writer->last] =
        (struct written_interface){.interface = frame->interface, .link = frame->link};
    put32(writer, 1, err);
    put32(writer, 32, err);
    put16(writer, frame->link, err);
    put16(writer, 0, err);
    put32(writer, 0, err); /* no limit on the length */
    put16(writer, OPTION_INTERFACE_RESOLUTION, err);
    put16(writer, 1, err);
    put32(writer, 9, err); /* 10^-9 s, and padding */
    put32(writer, OPTION_END, err);
    put32(writer, 32, err);
    return !writer->has_failed;
}

/* Makes `last` the number of the frame's interface, writing its block if it is new. */
static bool select_interface(struct pcapwrite *writer, const struct frame *frame, struct err *err)
{
    if (writer->interface_count > 0 && is_interface(&writer->interfaces[writer->last], frame)) {
        return true;
    }
    for (uint32_t i = 0; i < writer->interface_count; i++) {
        if (is_interface(&writer->interfaces[i], frame)) {
            writer->last = i;
            return true;
        }
    }
    return add_interface(writer, frame, err);
}

/* Bytes that the options of a packet take; none when there is nothing to say. */
static uint32_t options_size(const struct frame *frame, uint16_t comment_size)
{
    uint32_t size = 0;
    size += comment_size > 0 ? OPTION_HEAD + comment_size + padding(comment_size) : 0;
    size += frame->direction != FRAME_DIRECTION_UNKNOWN ? OPTION_HEAD + 4 : 0;
    return size == 0 ? 0 : size + OPTION_HEAD;
}

static void put_options(struct pcapwrite *writer, const struct frame *frame, uint16_t comment_size,
                        struct err *err)
{
    if (options_size(frame, comment_size) == 0) {
        return;
    }
    if (comment_size > 0) {
        put16(writer, OPTION_COMMENT, err);
        put16(writer, comment_size, err);
        put(writer, frame->comment.data, comment_size, err);
        put_padding(writer, comment_size, err);
    }
    if (frame->direction != FRAME_DIRECTION_UNKNOWN) {
        put16(writer, OPTION_PACKET_FLAGS, err);
        put16(writer, 4, err);
        put32(writer, frame->direction == FRAME_DIRECTION_IN ? 1 : 2, err);
    }
    put32(writer, OPTION_END, err);
}

static bool write_pcapng(struct pcapwrite *writer, const struct frame *frame, struct err *err)
{
    if (!writer->has_begun) {
        begin_pcapng(writer, err);
    }
    if (!select_interface(writer, frame, err)) {
        return false;
    }
    uint16_t comment_size =
        frame->comment.size < UINT16_MAX ? (uint16_t)frame->comment.size : UINT16_MAX;
    uint32_t cap_len = frame->cap_len + tag_size(frame);
    uint32_t total = 32 + cap_len + padding(cap_len) + options_size(frame, comment_size);
    uint64_t time_ns = frame->time_ns == FRAME_NO_TIME ? 0 : frame->time_ns;
    put32(writer, 6, err);
    put32(writer, total, err);
    put32(writer, writer->last, err);
    put32(writer, (uint32_t)(time_ns >> 32), err);
    put32(writer, (uint32_t)time_ns, err);
    put32(writer, cap_len, err);
    put32(writer, frame->wire_len, err);
    put_data(writer, frame, err);
    put_padding(writer, cap_len, err);
    put_options(writer, frame, comment_size, err);
    put32(writer, total, err);
    return !writer->has_failed;
}

bool pcapwrite_frame(struct pcapwrite *writer, const struct frame *frame, struct err *err)
{
    if (writer->has_failed) {
        return false;
    }
    return writer->is_pcapng ? write_pcapng(writer, frame, err) : write_pcap(writer, frame, err);
}

bool pcapwrite_frames(struct pcapwrite *writer, const struct frame *frames, uint32_t count,
                      struct err *err)
{
    for (uint32_t i = 0; i < count && writer != NULL; i++) {
        if (!pcapwrite_frame(writer, &frames[i], err)) {
            return false;
        }
    }
    return true;
}

bool pcapwrite_close(struct pcapwrite *writer, struct err *err)
{
    if (writer == NULL) {
        return true;
    }
    if (!writer->has_begun && writer->is_pcapng) {
        begin_pcapng(writer, err);
    } else if (!writer->has_begun) {
        begin_pcap(writer, FRAME_LINK_ETHERNET, err);
    }
    bool done = pcapwrite_flush(writer, err);
    if (close(writer->fd) < 0 && done) {
        done = fail(writer, strerror(errno), err);
    }
    free(writer->interfaces);
    free(writer->name);
    free(writer);
    return done;
}
