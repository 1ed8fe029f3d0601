// SPDX-License-Identifier: Apache-2.0
/* blast INTERFACE CAPTURE RATE SECONDS: sends frames of a capture over and over, RATE frames a
 * second (0: as fast as it goes) for SECONDS, and prints how many went out and in how many
 * microseconds:
 *
 *     SENT MICROSECONDS
 *
 * The first FRAMES_MAX frames are held in memory. They leave through a packet socket in batches of
 * sendmmsg(2), past the queueing discipline; the pace is kept by looking at the clock between
 * batches, so a burst is at most one batch. A frame that the interface refuses is sent again. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { FRAMES_MAX = 200000, FRAME_BYTES_MAX = 1514, BATCH = 32, SECONDS_MAX = 60 };

struct frames {
    struct iovec *list;
    size_t count;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "blast: %s: %s\n", what, why);
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The frames that fit an Ethernet of ordinary MTU; the process keeps them until it ends. */
static struct frames load(const char *name)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *capture = pcap_open_offline(name, error);
    if (!capture) {
        fail(name, error);
    }
    struct frames frames = {.list = calloc(FRAMES_MAX, sizeof(*frames.list))};
    struct pcap_pkthdr *header;
    const u_char *bytes;
    while (frames.list && frames.count < FRAMES_MAX &&
           pcap_next_ex(capture, &header, &bytes) == 1) {
        if (header->caplen < ETH_HLEN || header->caplen > FRAME_BYTES_MAX) {
            continue;
        }
        struct iovec *frame = &frames.list[frames.count++];
        frame->iov_base = malloc(header->caplen);
        if (!frame->iov_base) {
            fail(name, "out of memory");
        }
        frame->iov_len = header->caplen;
        memcpy(frame->iov_base, bytes, header->caplen);
    }
    pcap_close(capture);
    if (frames.count == 0) {
        fail(name, "no frames that could be sent");
    }
    return frames;
}

static int open_socket(const char *interface)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    int on = 1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || address.sll_ifindex == 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        fail(interface, strerror(errno));
    }
    return fd;
}

/* Sends the next batch, beginning with frame `first` of the endless repetition; returns how many
 * frames the kernel took. */
static unsigned send_batch(int fd, const struct frames *frames, uint64_t first, unsigned count)
{
    struct mmsghdr messages[BATCH];
    memset(messages, 0, sizeof(messages));
    for (unsigned i = 0; i < count; i++) {
        messages[i].msg_hdr.msg_iov = &frames->list[(first + i) % frames->count];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int sent = sendmmsg(fd, messages, count, 0);
    if (sent < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
        fail("sendmmsg", strerror(errno));
    }
    return sent < 0 ? 0 : (unsigned)sent;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: blast INTERFACE CAPTURE RATE SECONDS\n", stderr);
        return 2;
    }
    struct frames frames = load(argv[2]);
    int fd = open_socket(argv[1]);
    uint64_t rate = strtoull(argv[3], NULL, 10);
    uint64_t seconds = strtoull(argv[4], NULL, 10);
    uint64_t length = (seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1000000;
    uint64_t start = now_us();
    uint64_t sent = 0;
    uint64_t elapsed = 0;
    for (; elapsed < length; elapsed = now_us() - start) {
        uint64_t due = rate ? elapsed * rate / 1000000 : sent + BATCH;
        if (due > sent) {
            sent += send_batch(fd, &frames, sent, due - sent < BATCH ? (unsigned)(due - sent) : BATCH);
        } else {
            nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
        }
    }
    printf("%" PRIu64 " %" PRIu64 "\n", sent, elapsed);
    return 0;
}
