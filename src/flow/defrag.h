// SPDX-License-Identifier: Apache-2.0
/* Reassembly of IPv4 (RFC 791) and IPv6 (RFC 8200 §4.5) fragments within a budget, for one worker.
 * Bytes are copied once into chunks of a pool that is address space taken at start; nothing is
 * allocated later, every loop is bounded by DEFRAG_PIECES_MAX, and datagrams are found by a seeded
 * hash. No frame is lost to the count: a datagram that stays incomplete comes out again as one
 * packet that stands for all its frames.
 *
 * Overlaps. IPv4: what came first stays, what comes later only fills what is missing: bytes that
 * were seen are never changed again, whoever sends the same range twice. (RFC 791 prefers the later
 * copy; today's hosts mostly drop such datagrams, so that no choice is right for all of them.)
 * IPv6: the datagram is given up, with all its fragments, those yet to come included (RFC 5722 §4,
 * RFC 8200 §4.5). Exact duplicates are no overlap.
 *
 * A snap length cuts fragments: lengths are those of the headers, and the datagram carries what was
 * captured up to the first cut. */
#pragma once

#include "base/err.h"
#include "wire/packet.h"

enum {
    DEFRAG_DATAGRAM_MAX = 66 * 1024, /* bytes that a datagram, or what pops, may take */
    DEFRAG_PIECES_MAX = 128,         /* of a datagram: 64 KiB cut for an MTU of 576 */
    DEFRAG_MEMORY_MIN = 1 << 20,
};

#define DEFRAG_TIMEOUT_NS (30 * UINT64_C(1000000000))

struct defrag; /* opaque */

struct defrag_options {
    uint64_t memory;     /* bytes; DEFRAG_MEMORY_MIN at least */
    uint64_t timeout_ns; /* from a datagram's first fragment on; 0: DEFRAG_TIMEOUT_NS */
    uint64_t seed;
};

struct defrag_stats {
    uint64_t held;      /* datagrams in memory now */
    uint64_t whole;     /* datagrams that were made whole */
    uint64_t timed_out; /* given up: too late, or at the end of the capture */
    uint64_t evicted;   /* given up for want of room */
    uint64_t overlaps;  /* fragments that overlapped others */
    uint64_t bad;       /* fragments that fit no datagram, by length or number */
};

/* NULL and err when the system refuses. */
struct defrag *defrag_new(const struct defrag_options *options, struct err *err);
void defrag_free(struct defrag *d);

enum defrag_result {
    DEFRAG_HELD,  /* kept, or a duplicate: its frames are counted in the datagram that holds it */
    DEFRAG_WHOLE, /* the datagram is whole, and forgotten here */
    DEFRAG_BAD,   /* not kept: it stands for itself */
};

/* Takes a fragment. Once its datagram is whole, that is written to `memory` (DEFRAG_DATAGRAM_MAX
 * bytes) as if it had never been cut, ready for wire_resume(): the first fragment's IPv4 header,
 * its length and fragment fields mended (not its checksum), or its IPv6 headers without the
 * fragment header; `ret_frames` and `ret_wire_len` are the sums over all its frames. There must be
 * room. */
enum defrag_result defrag_push(struct defrag *d, const struct packet *fragment, uint8_t *memory,
                               struct span *ret_datagram, uint32_t *ret_frames,
                               uint32_t *ret_wire_len);

/* Whether the budget is spent: then make room with defrag_pop(d, UINT64_MAX, ...) and ask again. */
bool defrag_needs_room(struct defrag *d, const struct packet *fragment);

/* Takes the oldest datagram out if it timed out at `now_ns`; UINT64_MAX: whether or not. `ret` is
 * its first fragment with what could be read of it, else some fragment without ports; it stands for
 * all frames, at the time of the latest. Its bytes are in `memory` (DEFRAG_DATAGRAM_MAX bytes).
 * Returns false when there is none. */
bool defrag_pop(struct defrag *d, uint64_t now_ns, struct packet *ret, uint8_t *memory);

/* Counters since the start; they go on with `d`. */
const struct defrag_stats *defrag_stats(const struct defrag *d);
