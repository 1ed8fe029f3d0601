// SPDX-License-Identifier: Apache-2.0
/* pcap_count FILE: the yardstick of the benchmark. It reads a capture the way that most tools do,
 * one pcap_next_ex() a packet, and counts packets and bytes: whatever an analyser spends beyond
 * this loop is its own. */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: pcap_count FILE\n", stderr);
        return 2;
    }
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *capture = pcap_open_offline(argv[1], error);
    if (!capture) {
        fprintf(stderr, "pcap_count: %s\n", error);
        return 1;
    }
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t packets = 0;
    uint64_t length = 0;
    while (pcap_next_ex(capture, &header, &bytes) == 1) {
        packets++;
        length += header->len;
    }
    printf("%" PRIu64 " %" PRIu64 "\n", packets, length);
    pcap_close(capture);
    return 0;
}
