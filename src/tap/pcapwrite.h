// SPDX-License-Identifier: Apache-2.0
/* Writes frames to a capture file: pcap with nanoseconds, which knows one link type, or pcapng,
 * which keeps interfaces of several link types, directions and comments. Little-endian, as
 * draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng say. A tag that the kernel took off an
 * Ethernet frame is put back. A frame without a time gets time 0.
 *
 * Memory: a buffer of 256 KiB and 8 bytes for each interface. One thread. */
#pragma once

#include "base/err.h"
#include "wire/frame.h"

enum pcapwrite_format {
    PCAPWRITE_BY_NAME, /* pcapng if the name ends with .pcapng, else pcap */
    PCAPWRITE_PCAP,
    PCAPWRITE_PCAPNG,
};

struct pcapwrite;

/* Creates or empties `path`; "-" is standard output. NULL with err filled on failure. */
struct pcapwrite *pcapwrite_open(const char *path, enum pcapwrite_format format, struct err *err);

/* Adds a frame. False with err filled when it cannot be written; the failure is told once, later
 * calls return false and leave err alone. */
bool pcapwrite_frame(struct pcapwrite *writer, const struct frame *frame, struct err *err);

/* Adds as many frames, one after another, as pcapwrite_frame() does; without a writer (NULL) nothing is
 * to be done. */
bool pcapwrite_frames(struct pcapwrite *writer, const struct frame *frames, uint32_t count,
                      struct err *err);

/* Hands everything so far to the system, for a reader at the other end of a pipe. */
bool pcapwrite_flush(struct pcapwrite *writer, struct err *err);

/* Finishes the file, which is a valid capture even without a frame, and frees the writer; NULL is
 * fine. False when something could not be written, told in err if it was not told before. */
bool pcapwrite_close(struct pcapwrite *writer, struct err *err);
