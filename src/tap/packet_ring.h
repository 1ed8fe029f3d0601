// SPDX-License-Identifier: Apache-2.0
/* One AF_PACKET socket with a TPACKET_V3 receive ring (packet(7) and the kernel's
 * packet_mmap.rst): the kernel fills blocks of memory that it shares with us, a block goes back
 * when it has been read. Frames are lent from the block that is being read.
 *
 * Nothing passes until packet_ring_arm(): several workers can open their rings, all of them join
 * the fanout, and no frame of a flow reaches the wrong one before its worker was there.
 *
 * Memory: the ring, address space that the kernel has filled with pages. One thread. */
#pragma once

#include <linux/if_packet.h>
#include <net/if.h>

#include "tap/socket_filter.h"
#include "wire/frame.h"

struct packet_ring_options {
    const char *interface; /* NULL for all interfaces */
    uint32_t number;       /* of the interface, for frames; all interfaces: the kernel's index */
    const char *filter;    /* or NULL */
    uint64_t bytes;        /* of the ring */
    uint32_t snap_len;
    bool promiscuous;
    bool ignore_outgoing;
    bool is_shared; /* with other workers, by fanout */
    uint16_t fanout_group;
};

struct packet_ring {
    int fd; /* -1 while closed; may be polled */
    uint32_t number;
    bool is_any;
    bool is_joined; /* to its fanout group, or not to be */
    uint16_t fanout_group;
    struct socket_filter filter;
    uint8_t *map;
    size_t map_size;
    uint32_t block_count;
    uint32_t block;                /* that is read, or will be next */
    struct tpacket3_hdr *packet;   /* next one of it */
    uint32_t packets_left;         /* 0 when no block is being read */
    bool holds_block;              /* it has to be given back */
};

/* Opens a ring on an interface. False with err filled: ERR_PERMISSION, ERR_USAGE for a mistake in
 * the filter, or what the kernel says. A ring that does not fit into memory is made smaller. */
bool packet_ring_open(struct packet_ring *ring, const struct packet_ring_options *options,
                      struct err *err);

/* Lets frames pass from now on. Fails on an interface that is down if this kernel wants it up for
 * the fanout (before Linux 6.13); to be tried again then. */
bool packet_ring_arm(struct packet_ring *ring, struct err *err);

/* Closes an open ring; frames that it lent are gone. */
void packet_ring_close(struct packet_ring *ring);

/* Gives a block back whose frames have all been taken; their bytes are gone. */
void packet_ring_release(struct packet_ring *ring);

/* Whether a block waits to be read. */
bool packet_ring_is_ready(const struct packet_ring *ring);

/* Takes at most `room` frames of one block and returns their number; 0 if none wait. */
uint32_t packet_ring_take(struct packet_ring *ring, struct frame *frames, uint32_t room);

/* What happened since the last call: frames that passed the filter (lost ones among them), frames
 * lost, times that the ring was full. */
struct tpacket_stats_v3 packet_ring_counts(struct packet_ring *ring);

/* Whether the interface of that name is switched on. */
bool packet_ring_is_up(const struct packet_ring *ring, const char *name);

/* Whether the interface that the socket was bound to has been removed. */
bool packet_ring_is_orphaned(const struct packet_ring *ring);

/* LINKTYPE_ of what an interface of this ARPHRD_ number delivers. */
uint16_t packet_ring_link(uint16_t hardware);
