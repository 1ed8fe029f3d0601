// SPDX-License-Identifier: Apache-2.0
/* The records of one capture file, pcap or pcapng, told apart by their magic. Pure and incremental:
 * the caller feeds bytes, the reader points frames into them and says how many bytes it is done
 * with; what is left over is the beginning of a record and must come back, with more behind it, at
 * the next feed. The frames of a file do not depend on how its bytes were cut (the streaming law).
 *
 * pcap as in draft-ietf-opsawg-pcap, with microseconds or nanoseconds, in both byte orders, and
 * Kuznetsov's longer records. pcapng as in draft-ietf-opsawg-pcapng: many sections, each with its
 * byte order and interfaces; blocks that we do not know are stepped over, however long.
 *
 * Memory: nothing but the interfaces of the current section, at most PCAP_READER_INTERFACES, and secrets
 * until they are fetched. The bytes left over are always fewer than PCAP_READER_RECORD_MAX. One thread. */
#pragma once

#include "tap/capture_secrets.h"
#include "wire/frame.h"

enum {
    PCAP_READER_RECORD_MAX = 512 << 10, /* the longest record that is looked at as a whole, bytes */
    PCAP_READER_INTERFACES = 16384,     /* of one section */
    PCAP_READER_MAGIC = 4,              /* bytes that tell whether this is a capture */
};

enum pcap_reader_status {
    PCAP_READER_MORE,    /* every whole record was taken; feed more bytes, or end */
    PCAP_READER_FULL,    /* no room for a further frame */
    PCAP_READER_DAMAGED, /* `damage` says where and why; it stays so */
    PCAP_READER_FOREIGN, /* not a capture; it stays so */
};

/* How one pcapng interface counts its time. */
struct pcap_reader_interface {
    int64_t offset_ns;  /* if_tsoffset */
    uint64_t multiply;  /* decimal resolution: ns = ticks * multiply / divide */
    uint64_t divide;    /* 0 for a binary resolution */
    uint32_t snap_len;  /* 0 if unlimited */
    uint16_t link;
    uint8_t shift;      /* binary resolution: ns = ticks * 10^9 >> shift */
};

struct pcap_reader {
    enum pcap_reader_status status;
    enum { PCAP_READER_UNKNOWN, PCAP_READER_PCAP, PCAP_READER_PCAPNG } format;
    bool big_endian;   /* of the file, or of the section */
    uint64_t offset;   /* of the next byte that is not taken yet */
    uint32_t interface_base; /* number of the first interface of this section */

    /* pcap */
    uint32_t head_size;   /* of a record, bytes */
    uint32_t fraction_ns; /* one unit of a record's second time word */
    uint16_t link;

    /* pcapng */
    struct pcap_reader_interface *interfaces;
    uint32_t interface_count;
    uint32_t interface_room;
    uint64_t skip;       /* bytes of a block that are still to be stepped over, trailer excluded */
    uint64_t skip_start; /* where that block began */
    uint32_t skip_total; /* its stated length; 0 when no block is being stepped over */
    uint64_t latest_ns;  /* time of a packet so far; 0: none had one */
    uint32_t secrets_before; /* bytes of the block that is stepped over before its secrets */
    uint32_t secrets_left;   /* of its secrets */
    struct capture_secrets secrets; /* the caller may fetch them */

    struct {
        uint64_t offset; /* of the record that is damaged */
        char reason[160];
    } damage;
};

/* A reader at the start of a file, whose interfaces are numbered from `interface_base`. */
void pcap_reader_init(struct pcap_reader *reader, uint32_t interface_base);

/* Gives the interfaces and secrets back. */
void pcap_reader_done(struct pcap_reader *reader);

/* Whether `bytes`, at least PCAP_READER_MAGIC of them, can be the start of a capture. */
bool pcap_reader_sniff(struct span bytes);

/* Takes whole records from the front of `bytes`, which moves on over them, and writes at most
 * `room` frames that borrow from it, their number into `count`. Frames may come with any status. */
enum pcap_reader_status pcap_reader_feed(struct pcap_reader *reader, struct span *bytes,
                                         struct frame *frames, uint32_t room, uint32_t *count);

/* The file ends with `left` unread after a feed that said PCAP_READER_MORE. Returns
 * PCAP_READER_MORE for a file that ends where a record ends, else what is wrong. */
enum pcap_reader_status pcap_reader_end(struct pcap_reader *reader, struct span left);
