// SPDX-License-Identifier: Apache-2.0
#include "tap/packet_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/fanout.h"
#include "tap/interfaces.h"
#include "tap/rights.h"

enum {
    BLOCK_SIZE = 1 << 20, /* holds the longest frame, TAP_FRAME_MAX, several times */
    BLOCKS_MIN = 4,
    RETIRE_MS = 10, /* a block is handed over after this time even if it is not full */
    SLOT_SIZE = 2048, /* only checked by the kernel: frames of version 3 are of any length */
    LINKTYPE_IEEE802_11 = 105,
    LINKTYPE_IEEE802_11_RADIOTAP = 127,
};

uint16_t packet_ring_link(uint16_t hardware)
{
    switch (hardware) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK: /* with MAC addresses of zeros */
        return FRAME_LINK_ETHERNET;
    case ARPHRD_IEEE80211:
        return LINKTYPE_IEEE802_11;
    case ARPHRD_IEEE80211_RADIOTAP:
        return LINKTYPE_IEEE802_11_RADIOTAP;
    default: /* PPP (whose header the kernel keeps to itself), tun, WireGuard, IP tunnels */
        return FRAME_LINK_RAW;
    }
}

static const char *name_of(const struct packet_ring_options *options)
{
    return options->interface != NULL ? options->interface : "any";
}

static bool complain(const struct packet_ring_options *options, const char *what, struct err *err)
{
    if (errno == EPERM || errno == EACCES) {
        return rights_explain(name_of(options), err);
    }
    return err_set(err, ERR_FAILED, "%s: %s: %s", name_of(options), what, strerror(errno));
}

/* Asks for the ring, for half of it while the kernel has not got that much memory. */
static bool map_ring(struct packet_ring *ring, const struct packet_ring_options *options,
                     struct err *err)
{
    const int version = TPACKET_V3;
    if (setsockopt(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0) {
        return complain(options, "TPACKET_V3", err);
    }
    uint64_t blocks = options->bytes / BLOCK_SIZE;
    blocks = blocks < BLOCKS_MIN ? BLOCKS_MIN : blocks < 65536 ? blocks : 65536;
    for (;; blocks /= 2) {
        struct tpacket_req3 request = {
            .tp_block_size = BLOCK_SIZE,
            .tp_block_nr = (unsigned)blocks,
            .tp_frame_size = SLOT_SIZE,
            .tp_frame_nr = (unsigned)(blocks * (BLOCK_SIZE / SLOT_SIZE)),
            .tp_retire_blk_tov = RETIRE_MS,
        };
        if (setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0) {
            break;
        }
        if (errno != ENOMEM || blocks / 2 < BLOCKS_MIN) {
            return complain(options, "no receive ring", err);
        }
    }
    size_t size = (size_t)blocks * BLOCK_SIZE;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
    if (map == MAP_FAILED) {
        return complain(options, "the receive ring cannot be mapped", err);
    }
    ring->map = map;
    ring->map_size = size;
    ring->block_count = (uint32_t)blocks;
    return true;
}

static bool attach(int fd, const struct sock_fprog *program)
{
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, sizeof *program) == 0;
}

static bool find_interface(struct packet_ring *ring, const struct packet_ring_options *options,
                           unsigned *index, uint16_t *link, struct err *err)
{
    *index = 0;
    *link = FRAME_LINK_ETHERNET;
    if (options->interface == NULL) {
        return true;
    }
    *index = if_nametoindex(options->interface);
    if (*index == 0) {
        return interfaces_complain_missing(options->interface, err);
    }
    struct ifreq request = {0};
    strncpy(request.ifr_name, options->interface, sizeof request.ifr_name - 1);
    if (ioctl(ring->fd, SIOCGIFHWADDR, &request) < 0) {
        return complain(options, "link type", err);
    }
    *link = packet_ring_link(request.ifr_hwaddr.sa_family);
    return true;
}

/* Everything between the socket and the fanout, in the order that lets no frame slip through: the
 * socket is made without a protocol, hears nothing until bind(2), and lets nothing pass then. */
static bool set_up(struct packet_ring *ring, const struct packet_ring_options *options,
                   struct err *err)
{
    unsigned index;
    uint16_t link;
    if (!find_interface(ring, options, &index, &link, err)) {
        return false;
    }
    const struct socket_filter_options filter = {
        .expression = options->filter,
        .interface = options->interface,
        .link = link,
        .snap_len = options->snap_len,
        .ignore_outgoing = options->ignore_outgoing,
    };
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog nothing = {.len = 1, .filter = &drop};
    if (!socket_filter_init(&ring->filter, &filter, err) || !map_ring(ring, options, err)) {
        return false;
    }
    if (!attach(ring->fd, &nothing)) {
        return complain(options, "filter", err);
    }
    const int yes = 1;
    if (options->ignore_outgoing) { /* spares the copy; an older kernel leaves it to the filter */
        (void)setsockopt(ring->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
    }
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};
    if (bind(ring->fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        return complain(options, "bind", err);
    }
    const struct packet_mreq promiscuous = {.mr_ifindex = (int)index, .mr_type = PACKET_MR_PROMISC};
    if (options->promiscuous && index != 0 &&
        setsockopt(ring->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) < 0) {
        return complain(options, "promiscuous mode", err);
    }
    ring->fanout_group = options->fanout_group;
    struct err refusal = {0};
    ring->is_joined = !options->is_shared || fanout_join(ring->fd, ring->fanout_group, &refusal);
    if (!ring->is_joined &&
        (options->interface == NULL || packet_ring_is_up(ring, options->interface))) {
        return err_set(err, refusal.code, "%s: %s", name_of(options), refusal.text);
    }
    return true;
}

bool packet_ring_open(struct packet_ring *ring, const struct packet_ring_options *options,
                      struct err *err)
{
    *ring = (struct packet_ring){.number = options->number, .is_any = options->interface == NULL};
    ring->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ring->fd < 0) {
        return complain(options, "packet socket", err);
    }
    if (!set_up(ring, options, err)) {
        packet_ring_close(ring);
        return false;
    }
    return true;
}

bool packet_ring_arm(struct packet_ring *ring, struct err *err)
{
    if (!ring->is_joined && !fanout_join(ring->fd, ring->fanout_group, err)) {
        return false;
    }
    ring->is_joined = true;
    const struct sock_fprog program = {.len = ring->filter.count, .filter = ring->filter.code};
    if (!attach(ring->fd, &program)) {
        return err_set(err, ERR_FAILED, "packet filter: %s", strerror(errno));
    }
    return true;
}

void packet_ring_close(struct packet_ring *ring)
{
    if (ring->map != NULL) {
        munmap(ring->map, ring->map_size);
        ring->map = NULL;
    }
    socket_filter_done(&ring->filter);
    close(ring->fd);
    ring->fd = -1;
    ring->packets_left = 0;
    ring->holds_block = false;
}

static struct tpacket_hdr_v1 *current_block(const struct packet_ring *ring)
{
    struct tpacket_block_desc *block = (void *)(ring->map + (size_t)ring->block * BLOCK_SIZE);
    return &block->hdr.bh1;
}

bool packet_ring_is_ready(const struct packet_ring *ring)
{
    if (ring->packets_left > 0) {
        return true;
    }
    return (__atomic_load_n(&current_block(ring)->block_status, __ATOMIC_ACQUIRE) &
            TP_STATUS_USER) != 0;
}

void packet_ring_release(struct packet_ring *ring)
{
    if (!ring->holds_block || ring->packets_left > 0) {
        return;
    }
    __atomic_store_n(&current_block(ring)->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring->holds_block = false;
    ring->block = ring->block + 1 < ring->block_count ? ring->block + 1 : 0;
}

static void begin_block(struct packet_ring *ring)
{
    const struct tpacket_hdr_v1 *block = current_block(ring);
    ring->packets_left = block->num_pkts;
    ring->packet = (void *)((uint8_t *)ring->map + (size_t)ring->block * BLOCK_SIZE +
                            block->offset_to_first_pkt);
    ring->holds_block = true;
}

/* A frame where the kernel left it. The bytes of raw IP begin at the network header, whatever the
 * tunnel's driver put before it. */
static struct frame to_frame(const struct packet_ring *ring, const struct tpacket3_hdr *packet)
{
    const size_t address_at = (size_t)TPACKET_ALIGN((int)sizeof *packet);
    const struct sockaddr_ll *from = (const void *)((const uint8_t *)packet + address_at);
    struct frame frame = {
        .time_ns = packet->tp_sec * UINT64_C(1000000000) + packet->tp_nsec,
        .cap_len = packet->tp_snaplen,
        .wire_len = packet->tp_len,
        .interface = ring->is_any ? (uint32_t)from->sll_ifindex : ring->number,
        .link = packet_ring_link(from->sll_hatype),
        .direction = from->sll_pkttype == PACKET_OUTGOING ? FRAME_DIRECTION_OUT
                                                          : FRAME_DIRECTION_IN,
    };
    uint32_t before = 0;
    if (frame.link == FRAME_LINK_RAW && packet->tp_net > packet->tp_mac) {
        before = (uint32_t)packet->tp_net - packet->tp_mac;
        before = before < frame.cap_len ? before : frame.cap_len;
    }
    frame.data = (const uint8_t *)packet + packet->tp_mac + before;
    frame.cap_len -= before;
    frame.wire_len -= before;
    if (packet->tp_status & TP_STATUS_VLAN_VALID) {
        frame.wire_len += 4; /* on the wire the tag was there */
        frame.vlan_tci = (uint16_t)packet->hv1.tp_vlan_tci;
        frame.vlan_tpid = packet->tp_status & TP_STATUS_VLAN_TPID_VALID
                              ? packet->hv1.tp_vlan_tpid
                              : ETH_P_8021Q;
    }
    return frame;
}

uint32_t packet_ring_take(struct packet_ring *ring, struct frame *frames, uint32_t room)
{
    packet_ring_release(ring);
    if (!packet_ring_is_ready(ring)) {
        return 0;
    }
    if (ring->packets_left == 0) {
        begin_block(ring);
    }
    uint32_t count = ring->packets_left < room ? ring->packets_left : room;
    for (uint32_t i = 0; i < count; i++) {
        frames[i] = to_frame(ring, ring->packet);
        ring->packet = (void *)((uint8_t *)ring->packet + ring->packet->tp_next_offset);
    }
    ring->packets_left -= count;
    return count;
}

struct tpacket_stats_v3 packet_ring_counts(struct packet_ring *ring)
{
    struct tpacket_stats_v3 counts = {0};
    socklen_t size = sizeof counts;
    if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &counts, &size) < 0) {
        return (struct tpacket_stats_v3){0};
    }
    return counts;
}

bool packet_ring_is_up(const struct packet_ring *ring, const char *name)
{
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    return ioctl(ring->fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

bool packet_ring_is_orphaned(const struct packet_ring *ring)
{
    struct sockaddr_ll address = {0};
    socklen_t size = sizeof address;
    return getsockname(ring->fd, (struct sockaddr *)&address, &size) == 0 &&
           address.sll_ifindex < 0;
}
