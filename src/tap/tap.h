// SPDX-License-Identifier: Apache-2.0
/* The door of tap/: where bytes come from. A tap is opened by its plug-in and driven by one thread;
 * it fills batches of frames. The frames of a batch are borrowed until the next tap_next() on the
 * same tap *with the same batch memory*: a file tap puts its bytes into the batch's own memory (so
 * that a batch can travel to other threads while the next one is read), a ring tap lends its ring
 * block, which goes back to the kernel at the next call. */
#pragma once

#include "base/err.h"
#include "wire/frame.h"

/* What the engine gives a tap to fill. Owned by the engine. */
struct tap_batch {
    struct frame *frames;
    uint32_t capacity; /* frames there is room for */
    uint32_t count;    /* set by the tap */
    uint32_t ahead;    /* set by the tap: what lies so many bytes behind a frame comes next and is in no
                        * cache yet; 0: nothing does */
    uint8_t *memory;   /* room for the bytes of file taps; at least TAP_BATCH_MEMORY bytes */
    size_t memory_size;
    bool is_alone; /* each batch is done with before the next is asked for: the tap may lend memory of its own */
    struct tap_piece {
        uint64_t at;   /* of the file */
        size_t size;   /* bytes that tap_kind.fill brought; 0: none */
    } piece;
};

enum {
    TAP_FRAME_MAX = 256 << 10,    /* the longest frame that a capture may hold, bytes */
    TAP_BATCH_MEMORY = 768 << 10, /* room for one read and the longest frame left over before it */
    TAP_BATCH_FRAMES = 4096,
};

enum tap_status {
    TAP_OK,    /* batch holds at least one frame */
    TAP_IDLE,  /* nothing within the poll time: a live tap without traffic, a pipe that waits, or a
                * long stretch of a file without a frame that matches the filter */
    TAP_END,   /* no more frames will come; the batch is empty */
    TAP_ERROR, /* damage or loss of the source: the batch is empty, all before it was delivered */
};

struct tap_stats {
    uint64_t received;         /* frames that the kernel saw for us (live), or records read */
    uint64_t dropped;          /* frames lost for want of ring space */
    uint64_t freezes;          /* times the ring was full (TPACKET_V3 tp_freeze_q_cnt) */
    uint64_t interface_drops;  /* rx_dropped of the interfaces since open; told by worker 0 only */
    uint64_t bytes_read;       /* of the file, for progress; compressed bytes where compressed */
    uint64_t bytes_total;      /* file size, 0 if unknown */
    uint64_t files_skipped;    /* files of a directory that are no captures */
};

/* What a tap is asked to open; zero means default. The engine fills it from the configuration. */
struct tap_options {
    const char *const *sources; /* files, directories or interfaces, by the tap's kind */
    uint32_t source_count;
    const char *filter;        /* BPF expression in pcap-filter(7) syntax, or NULL */
    uint32_t snap_len;         /* bytes of each frame to keep */
    uint64_t ring_bytes;       /* per worker */
    uint32_t worker;           /* which worker of the fanout group this handle serves */
    uint32_t workers;
    uint16_t fanout_group;     /* the same for all handles of one tap, which takes as many numbers
                                * from here as it has sources; 0 with one worker */
    bool promiscuous;
    bool ignore_outgoing;
    uint32_t poll_ms;          /* longest wait of tap_next before TAP_IDLE */
};

struct tap; /* opaque: each plug-in's own */

/* One per plug-in, constant; the table is generated from the list in meson.build. */
struct tap_kind {
    const char *name;
    const char *help;
    bool is_live; /* advances time by the wall clock when idle; several workers by fanout */
    /* Opens; on failure returns NULL and fills err. Strings in options are copied if kept. */
    struct tap *(*open)(const struct tap_options *options, struct err *err);
    /* Fills the batch; TAP_ERROR fills err (file, byte offset, reason). */
    enum tap_status (*next)(struct tap *tap, struct tap_batch *batch, struct err *err);
    /* May be NULL, both. Several threads may bring the bytes of a file beside each other: claim() gives
     * a batch its piece (false: there are no pieces, now or any more), one call at a time; fill(), by any
     * thread, brings them; next() then takes the batches in the order in which they were claimed. What is
     * claimed and does not fit is read again by next(). */
    bool (*claim)(struct tap *tap, struct tap_batch *batch);
    void (*fill)(const struct tap *tap, struct tap_batch *batch);
    /* Totals since open. May be called by another thread. */
    void (*stats)(struct tap *tap, struct tap_stats *ret);
    void (*close)(struct tap *tap); /* NULL is fine */
    /* May be NULL. The next thing the user should hear that is no error (which interface `auto`
     * chose and why, an interface that went down), one line into `text`; false if there is none.
     * Asked by the thread that drives the tap. */
    bool (*notice)(struct tap *tap, char *text, size_t size);
    /* May be NULL. Secrets that the source holds for what is sealed in its frames (pcapng): the next text
     * of a TLS key log, borrowed until another call, and how late the packets before it were (0: there
     * were none). To be asked after each next(), until it says false, before its frames are used. */
    bool (*secrets)(struct tap *tap, struct span *text, uint64_t *since_ns);
    /* May be NULL. The name of frame.interface; false if it has none. Any thread. */
    bool (*interface_name)(struct tap *tap, uint32_t interface, char name[16]);
};

/* The kind of that name, or NULL. */
const struct tap_kind *tap_kind_find(const char *name);

/* All kinds, NULL-terminated, in the order of the list. */
extern const struct tap_kind *const tap_kinds[];
