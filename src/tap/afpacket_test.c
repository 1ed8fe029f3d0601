// SPDX-License-Identifier: Apache-2.0
/* Needs to be root: everything happens between two ends of a veth pair, in a network namespace that
 * the test makes for itself. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tap/interfaces.h"
#include "tap/tap.h"

extern const struct tap_kind tap_afpacket;

enum { KEPT_MAX = 4096, WORKERS = 3 };

static bool has_namespace;
static int raw_socket = -1;

/* What came, copied out of the ring. */
static struct {
    struct frame frames[KEPT_MAX];
    uint8_t bytes[KEPT_MAX][64];
    uint32_t count;
} kept;

static struct frame frames[TAP_BATCH_FRAMES];
static struct tap_batch batch = {.frames = frames, .capacity = TAP_BATCH_FRAMES};

static void shell(const char *command)
{
    if (system(command) != 0) {
        fail_msg("%s", command);
    }
}

static int make_namespace(void **state)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
        return 0;
    }
    if (system("ip link set lo up && "
               "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null; "
               "ip link add va type veth peer name vb 2>/dev/null && "
               "ip link set va up && ip link set vb up") == 0) {
        raw_socket = socket(AF_PACKET, SOCK_RAW, 0);
        has_namespace = true;
    }
    return 0;
}

static void need_namespace(void)
{
    if (!has_namespace) {
        skip();
    }
}

static struct tap *open_tap(const char *interface, const struct tap_options *others)
{
    struct tap_options options = others != NULL ? *others : (struct tap_options){0};
    options.sources = &interface;
    options.source_count = 1;
    options.ring_bytes = 4 << 20;
    options.poll_ms = 30;
    struct err err = {0};
    struct tap *tap = tap_afpacket.open(&options, &err);
    if (tap == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(tap_afpacket.next(tap, &batch, &err), TAP_IDLE); /* lets frames pass */
    return tap;
}

/* Takes everything until nothing has come for two polls. */
static void drain(struct tap *tap)
{
    struct err err = {0};
    kept.count = 0;
    for (int idle = 0; idle < 2;) {
        enum tap_status status = tap_afpacket.next(tap, &batch, &err);
        assert_true(status == TAP_OK || status == TAP_IDLE);
        idle = status == TAP_IDLE ? idle + 1 : 0;
        for (uint32_t i = 0; i < batch.count && kept.count < KEPT_MAX; i++) {
            size_t size = batch.frames[i].cap_len < 64 ? batch.frames[i].cap_len : 64;
            memcpy(kept.bytes[kept.count], batch.frames[i].data, size);
            kept.frames[kept.count++] = batch.frames[i];
        }
    }
}

static void send_frame(const char *interface, const uint8_t *bytes, size_t size)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int)if_nametoindex(interface)};
    assert_int_equal(sendto(raw_socket, bytes, size, 0, (void *)&to, sizeof to), size);
}

/* An Ethernet frame with UDP from 10.0.0.`from` to 10.0.0.`to`, port 53; a `tag` other than 0 goes
 * before it, a `fragment` takes the ports away. */
static size_t build(uint8_t *frame, uint8_t from, uint8_t to, uint16_t tag, bool fragment)
{
    const uint8_t macs[12] = {2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from};
    const uint8_t ip[28] = {0x45, 0, 0, 46, from, to, fragment ? 0x20 : 0, fragment, 64, 17, 0, 0,
                            10, 0, 0, from, 10, 0, 0, to, 0x80, 1, 0, 53, 0, 26, 0, 0};
    size_t size = sizeof macs;
    memset(frame, 0, 64);
    memcpy(frame, macs, sizeof macs);
    if (tag != 0) {
        const uint8_t bytes[4] = {0x81, 0, (uint8_t)(tag >> 8), (uint8_t)tag};
        memcpy(frame + size, bytes, 4);
        size += 4;
    }
    frame[size] = 8;
    memcpy(frame + size + 2, ip, sizeof ip);
    return size + 2 + 46;
}

static void send_udp(const char *interface, uint8_t from, uint8_t to, uint16_t tag, bool fragment)
{
    uint8_t frame[64];
    size_t size = build(frame, from, to, tag, fragment);
    send_frame(interface, frame, size);
}

static void test_receives(void **state)
{
    need_namespace();
    struct tap *tap = open_tap("va", NULL);
    for (uint8_t i = 0; i < 100; i++) {
        send_udp("vb", i, 200, 0, false);
    }
    send_udp("va", 1, 2, 0, false);
    drain(tap);
    assert_int_equal(kept.count, 101);
    for (uint8_t i = 0; i < 101; i++) {
        const struct frame *frame = &kept.frames[i];
        assert_int_equal(frame->link, FRAME_LINK_ETHERNET);
        assert_int_equal(frame->cap_len, 60);
        assert_int_equal(frame->wire_len, 60);
        assert_int_equal(frame->interface, 0);
        assert_int_equal(frame->direction, i < 100 ? FRAME_DIRECTION_IN : FRAME_DIRECTION_OUT);
        assert_in_range(frame->time_ns / 1000000000, time(NULL) - 10, time(NULL) + 1);
        assert_int_equal(kept.bytes[i][29], i < 100 ? i : 1);
    }
    char name[16];
    assert_true(tap_afpacket.interface_name(tap, 0, name));
    assert_string_equal(name, "va");
    tap_afpacket.close(tap);
}

static void test_ignores_outgoing(void **state)
{
    need_namespace();
    struct tap *tap = open_tap("va", &(struct tap_options){.ignore_outgoing = true});
    send_udp("va", 1, 2, 0, false);
    send_udp("vb", 3, 4, 0, false);
    drain(tap);
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.bytes[0][29], 3);
    tap_afpacket.close(tap);
}

static void test_vlan_tag(void **state)
{
    need_namespace();
    struct tap *tap = open_tap("va", &(struct tap_options){.filter = "vlan 77 and udp port 53"});
    send_udp("vb", 1, 2, 77, false);
    send_udp("vb", 1, 3, 78, false);
    send_udp("vb", 1, 4, 0, false);
    drain(tap);
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.frames[0].vlan_tpid, 0x8100);
    assert_int_equal(kept.frames[0].vlan_tci, 77);
    assert_int_equal(kept.frames[0].cap_len, 60);
    assert_int_equal(kept.bytes[0][12], 8); /* the tag is not in the bytes */
    tap_afpacket.close(tap);
}

static void test_filter_and_snap_length(void **state)
{
    need_namespace();
    struct tap *tap =
        open_tap("va", &(struct tap_options){.filter = "host 10.0.0.9", .snap_len = 20});
    send_udp("vb", 1, 2, 0, false);
    send_udp("vb", 9, 2, 0, false);
    drain(tap);
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.frames[0].cap_len, 20);
    assert_int_equal(kept.frames[0].wire_len, 60);
    tap_afpacket.close(tap);
    const char *name = "va";
    struct tap_options wrong = {.sources = &name, .source_count = 1, .filter = "udp poort 53"};
    struct err err = {0};
    assert_null(tap_afpacket.open(&wrong, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "'udp poort 53'"));
}

static void send_to_oneself(void)
{
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9999),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(sendto(udp, "x", 1, 0, (void *)&to, sizeof to), 1);
    close(udp);
}

static void test_loopback_counts_once(void **state)
{
    need_namespace();
    for (int i = 0; i < 2; i++) {
        struct tap *tap =
            open_tap(i == 0 ? "lo" : "any", &(struct tap_options){.filter = "udp port 9999"});
        for (int k = 0; k < 10; k++) {
            send_to_oneself();
        }
        drain(tap);
        assert_int_equal(kept.count, 10);
        assert_int_equal(kept.frames[0].link, FRAME_LINK_ETHERNET);
        tap_afpacket.close(tap);
    }
}

static void test_any(void **state)
{
    need_namespace();
    struct tap *tap = open_tap("any", &(struct tap_options){.filter = "udp port 53"});
    send_udp("vb", 1, 2, 0, false); /* out of one end and into the other */
    drain(tap);
    assert_int_equal(kept.count, 2);
    char name[16];
    assert_true(tap_afpacket.interface_name(tap, kept.frames[0].interface, name));
    assert_string_equal(name, "vb");
    assert_int_equal(kept.frames[0].direction, FRAME_DIRECTION_OUT);
    assert_int_equal(kept.frames[1].direction, FRAME_DIRECTION_IN);
    tap_afpacket.close(tap);
}

static void test_counts_drops(void **state)
{
    need_namespace();
    struct tap *tap = open_tap("va", NULL);
    uint8_t frame[1514];
    build(frame, 1, 2, 0, false);
    const uint32_t sent = 6000; /* 9 MB into a ring of 4 MiB */
    for (uint32_t i = 0; i < sent; i++) {
        send_frame("vb", frame, sizeof frame);
    }
    uint32_t came = 0;
    struct err err = {0};
    for (int idle = 0; idle < 10;) { /* longer than counters may be old */
        idle = tap_afpacket.next(tap, &batch, &err) == TAP_IDLE ? idle + 1 : 0;
        came += batch.count;
    }
    struct tap_stats stats;
    tap_afpacket.stats(tap, &stats);
    assert_int_equal(stats.received, sent);
    assert_true(stats.dropped > 0);
    assert_true(stats.freezes > 0);
    assert_int_equal(stats.received - stats.dropped, came);
    tap_afpacket.close(tap);
}

/* Both directions, fragments and both ways through the interface: one worker for a pair. */
static void test_fanout(void **state)
{
    need_namespace();
    struct tap *taps[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++) {
        taps[i] = open_tap("va", &(struct tap_options){.worker = i, .workers = WORKERS,
                                                       .fanout_group = 7});
    }
    for (uint8_t i = 1; i < 100; i++) {
        send_udp("vb", i, 250, 0, false);
        send_udp("vb", 250, i, 0, false);
        send_udp("va", 250, i, 0, false);
        send_udp("vb", i, 250, 0, true);
        send_udp("vb", i, 250, 33, false);
        send_udp("va", 250, i, 33, true);
    }
    uint32_t worker_of[100] = {0}, used = 0, total = 0;
    for (uint32_t w = 0; w < WORKERS; w++) {
        drain(taps[w]);
        used += kept.count > 0;
        total += kept.count;
        for (uint32_t i = 0; i < kept.count; i++) {
            size_t at = kept.bytes[i][12] == 0x81 ? 30 : 26; /* a tag on its way out stays */
            uint8_t from = kept.bytes[i][at + 3], to = kept.bytes[i][at + 7];
            uint8_t host = from == 250 ? to : from;
            assert_in_range(host, 1, 99);
            assert_true(worker_of[host] == 0 || worker_of[host] == w + 1);
            worker_of[host] = w + 1;
        }
        tap_afpacket.close(taps[w]);
    }
    assert_int_equal(total, 99 * 6);
    assert_int_equal(used, WORKERS);
}

/* Waits for a notice that contains `text`, at most four seconds. */
static void expect_notice(struct tap *tap, const char *text)
{
    struct err err = {0};
    char notice[200] = "";
    for (int i = 0; i < 130; i++) {
        assert_true(tap_afpacket.next(tap, &batch, &err) != TAP_ERROR);
        while (tap_afpacket.notice(tap, notice, sizeof notice)) {
            if (strstr(notice, text) != NULL) {
                return;
            }
        }
    }
    fail_msg("expected '%s', last was '%s'", text, notice);
}

static void test_survives_down_and_removal(void **state)
{
    need_namespace();
    shell("ip link add vc type veth peer name vd && ip link set vd up");
    for (uint32_t workers = 1; workers <= 2; workers++) {
        struct tap *tap =
            open_tap("vc", &(struct tap_options){.workers = workers, .fanout_group = 20});
        expect_notice(tap, "down");
        shell("ip link set vc up");
        expect_notice(tap, "up");
        send_udp("vd", 1, 2, 0, false);
        drain(tap);
        assert_true(kept.count > 0);
        shell("ip link set vc down");
        expect_notice(tap, "went down");
        shell("ip link del vc");
        expect_notice(tap, "removed");
        shell("ip link add vc type veth peer name vd && ip link set vc up && ip link set vd up");
        expect_notice(tap, "back");
        send_udp("vd", 1, 2, 0, false);
        drain(tap);
        assert_true(kept.count > 0);
        tap_afpacket.close(tap);
        shell("ip link set vc down");
    }
    shell("ip link del vc");
}

static void test_missing_interface(void **state)
{
    need_namespace();
    const char *name = "vaa";
    struct tap_options options = {.sources = &name, .source_count = 1};
    struct err err = {0};
    assert_null(tap_afpacket.open(&options, &err));
    assert_string_equal(err.text, "no interface 'vaa' (did you mean 'va'?)");
}

static void test_without_rights(void **state)
{
    need_namespace();
    struct err *err = mmap(NULL, sizeof *err, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0);
    pid_t child = fork();
    if (child == 0) {
        const char *name = "va";
        struct tap_options options = {.sources = &name, .source_count = 1};
        _exit(setuid(65534) == 0 && tap_afpacket.open(&options, err) == NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(err->code, ERR_PERMISSION);
    assert_non_null(strstr(err->text, "Cannot capture on va: this needs the CAP_NET_RAW capability "
                                      "(you are uid 65534, capabilities: none)."));
    assert_non_null(strstr(err->text, "sudo vantage live va"));
    assert_non_null(strstr(err->text, "setcap cap_net_raw,cap_net_admin=eip /"));
    assert_non_null(strstr(err->text, "vantage read FILE"));
    munmap(err, sizeof *err);
}

static void test_interfaces(void **state)
{
    need_namespace();
    struct interfaces list;
    struct err err = {0};
    assert_true(interfaces_read(&list, &err));
    const struct interfaces_entry *loopback = interfaces_find(&list, "lo");
    const struct interfaces_entry *one = interfaces_find(&list, "va");
    assert_true(loopback != NULL && loopback->is_loopback && loopback->is_up);
    assert_non_null(strstr(loopback->addresses, "127.0.0.1"));
    assert_true(one != NULL && one->is_up && one->is_running && one->rx_bytes > 0);
    assert_string_equal(interfaces_kind(one->hardware), "ethernet");
    assert_int_equal(one->index, if_nametoindex("va"));
    interfaces_done(&list);
}

static void test_auto(void **state)
{
    need_namespace();
    struct tap *tap = open_tap("auto", NULL);
    char text[200];
    assert_true(tap_afpacket.notice(tap, text, sizeof text));
    assert_non_null(strstr(text, "none of"));
    assert_null(strstr(text, "lo,"));
    tap_afpacket.close(tap);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 10000; i++) {
            send_to_oneself();
            usleep(10000);
        }
        _exit(0);
    }
    char name[IF_NAMESIZE] = "";
    struct err err = {0};
    text[0] = '\0';
    /* Who sends may not have its turn within one look, on a busy machine. */
    for (int looks = 0; looks < 50 && strstr(text, "busiest") == NULL; looks++) {
        assert_true(interfaces_choose(name, text, sizeof text, &err));
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_string_equal(name, "lo");
    assert_non_null(strstr(text, "busiest"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receives),
        cmocka_unit_test(test_ignores_outgoing),
        cmocka_unit_test(test_vlan_tag),
        cmocka_unit_test(test_filter_and_snap_length),
        cmocka_unit_test(test_loopback_counts_once),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_counts_drops),
        cmocka_unit_test(test_fanout),
        cmocka_unit_test(test_survives_down_and_removal),
        cmocka_unit_test(test_missing_interface),
        cmocka_unit_test(test_without_rights),
        cmocka_unit_test(test_interfaces),
        cmocka_unit_test(test_auto),
    };
    return cmocka_run_group_tests(tests, make_namespace, NULL);
}
