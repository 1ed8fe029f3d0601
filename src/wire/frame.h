// SPDX-License-Identifier: Apache-2.0
/* A frame is what a tap hands over: bytes as they were on the link, with what the capture knew of
 * them. Its bytes are borrowed from the tap's batch. */
#pragma once

#include "base/span.h"

/* Link types are the LINKTYPE_ numbers of the pcap file format registry
 * (tcpdump.org/linktypes.html); taps translate what they have into these. */
enum frame_link {
    FRAME_LINK_NULL = 0,
    FRAME_LINK_ETHERNET = 1,
    FRAME_LINK_PPP = 9,
    FRAME_LINK_PPP_HDLC = 50,
    FRAME_LINK_PPPOE = 51,
    FRAME_LINK_RAW = 101,
    FRAME_LINK_C_HDLC = 104,
    FRAME_LINK_LOOP = 108,
    FRAME_LINK_SLL = 113,
    FRAME_LINK_IPV4 = 228,
    FRAME_LINK_IPV6 = 229,
    FRAME_LINK_SLL2 = 276,
};

enum frame_direction {
    FRAME_DIRECTION_UNKNOWN,
    FRAME_DIRECTION_IN,
    FRAME_DIRECTION_OUT,
};

/* The time of a frame whose capture recorded none (pcapng Simple Packet Block). */
#define FRAME_NO_TIME UINT64_MAX

struct frame {
    uint64_t time_ns; /* since 1970-01-01T00:00:00Z, or FRAME_NO_TIME */
    const uint8_t *data;
    uint32_t cap_len;  /* bytes at data */
    uint32_t wire_len; /* bytes the frame had on the wire, a tag taken off it included */
    uint32_t interface; /* index of the interface within the tap */
    uint16_t link;      /* a LINKTYPE_ number, known to us or not */
    uint16_t vlan_tpid; /* 0, or the tag protocol id of a tag that the kernel took off the frame */
    uint16_t vlan_tci;  /* that tag's control information */
    uint8_t direction;  /* enum frame_direction */
    struct span comment; /* pcapng opt_comment, mostly empty */
};
