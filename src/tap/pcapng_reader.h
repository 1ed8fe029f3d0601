// SPDX-License-Identifier: Apache-2.0
/* The pcapng half of pcap_reader.h, which calls it; draft-ietf-opsawg-pcapng. The bounds and the
 * law are stated there. */
#pragma once

#include "tap/pcap_reader.h"

/* The type of a Section Header Block, a palindrome: the same bytes in both byte orders. */
#define PCAPNG_SECTION_HEADER 0x0a0d0d0aU

/* pcap_reader_feed() and pcap_reader_end() for a pcapng file. */
enum pcap_reader_status pcapng_reader_feed(struct pcap_reader *reader, struct span *bytes,
                                           struct frame *frames, uint32_t room, uint32_t *count);
enum pcap_reader_status pcapng_reader_end(struct pcap_reader *reader, struct span left);

/* Shared by both halves: notes damage of the record at the reader's offset and returns
 * PCAP_READER_DAMAGED. */
__attribute__((format(printf, 2, 3))) enum pcap_reader_status
pcap_reader_damaged(struct pcap_reader *reader, const char *format, ...);

/* The LINKTYPE_ number behind a number in a file: some systems wrote their own DLT_ values for
 * raw IP (tcpdump.org/linktypes.html). */
static inline uint16_t pcap_reader_link(uint32_t number)
{
    uint16_t link = (uint16_t)number; /* above: length of the frame check sequence, class */
    return link == 12 || link == 14 ? FRAME_LINK_RAW : link;
}
