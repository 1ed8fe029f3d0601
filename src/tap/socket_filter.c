// SPDX-License-Identifier: Apache-2.0
#include "tap/socket_filter.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/frame.h"

/* <pcap/bpf.h> and <linux/filter.h> call the same instruction by two names. */
_Static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter), "one layout");

enum { COMPILE_BUFFER = 64 << 10 };

/* A libpcap handle that only compiles, as if it captured. An active one knows that the kernel takes
 * VLAN tags off frames and makes `vlan` look at the tag's new place; where there is none (the
 * interface is down) the expression is compiled as for a file. */
static pcap_t *open_compiler(const char *interface, uint16_t link, uint32_t snap_len)
{
    char ignored[PCAP_ERRBUF_SIZE];
    if (link == FRAME_LINK_ETHERNET) {
        pcap_t *live = pcap_create(interface != NULL ? interface : "lo", ignored);
        if (live != NULL) {
            pcap_set_snaplen(live, (int)snap_len);
            pcap_set_buffer_size(live, COMPILE_BUFFER);
            if (pcap_activate(live) >= 0 && pcap_datalink(live) == DLT_EN10MB) {
                return live;
            }
            pcap_close(live);
        }
    }
    return pcap_open_dead(link == FRAME_LINK_RAW ? DLT_RAW : link, (int)snap_len);
}

/* The expression for one link layer. False with libpcap's words in `complaint`. */
static bool compile(const struct socket_filter_options *options, uint16_t link,
                    struct bpf_program *program, char *complaint)
{
    pcap_t *compiler = open_compiler(options->interface, link, options->snap_len);
    if (compiler == NULL) {
        snprintf(complaint, PCAP_ERRBUF_SIZE, "out of memory");
        return false;
    }
    bool done = pcap_compile(compiler, program, options->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!done) {
        snprintf(complaint, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(compiler));
    }
    pcap_close(compiler);
    return done;
}

/* Room for the prologue, and for a program for each of two link layers. */
struct writer {
    struct sock_filter code[BPF_MAXINSNS];
    uint32_t count;
    bool is_full;
};

static void put(struct writer *w, struct sock_filter instruction)
{
    if (w->count == BPF_MAXINSNS) {
        w->is_full = true;
        return;
    }
    w->code[w->count++] = instruction;
}

static void load_ancillary(struct writer *w, int32_t what)
{
    put(w, (struct sock_filter)BPF_STMT(BPF_LD | BPF_ABS | BPF_W, (uint32_t)(SKF_AD_OFF + what)));
}

/* A frame to oneself is seen on its way out and on its way in: only the latter counts. */
static void put_prologue(struct writer *w, bool ignore_outgoing)
{
    load_ancillary(w, SKF_AD_PKTTYPE);
    if (ignore_outgoing) {
        put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1));
    } else {
        put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 3));
        load_ancillary(w, SKF_AD_HATYPE);
        put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 0, 1));
    }
    put(w, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
}

/* The expression for `link`, where everything passes without one. */
static bool put_program(struct writer *w, const struct socket_filter_options *options,
                        uint16_t link, char *complaint)
{
    if (options->expression == NULL) {
        put(w, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, options->snap_len));
        return true;
    }
    struct bpf_program program;
    if (!compile(options, link, &program, complaint)) {
        put(w, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
        return false;
    }
    for (u_int i = 0; i < program.bf_len; i++) {
        const struct bpf_insn *from = &program.bf_insns[i];
        put(w, (struct sock_filter){from->code, from->jt, from->jf, from->k});
    }
    pcap_freecode(&program);
    return true;
}

/* On all interfaces: Ethernet's program or that of raw IP, by the link layer of each frame. */
static bool put_both(struct writer *w, const struct socket_filter_options *options, char *complaint)
{
    load_ancillary(w, SKF_AD_HATYPE);
    put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_ETHER, 2, 0));
    put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 1, 0));
    uint32_t jump = w->count;
    put(w, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
    char second[PCAP_ERRBUF_SIZE];
    bool has_ethernet = put_program(w, options, FRAME_LINK_ETHERNET, complaint);
    w->code[jump].k = w->count - jump - 1;
    bool has_raw = put_program(w, options, FRAME_LINK_RAW, second);
    return has_ethernet || has_raw;
}

static bool assemble(struct writer *w, struct socket_filter *ret,
                     const struct socket_filter_options *options, struct err *err)
{
    char complaint[PCAP_ERRBUF_SIZE] = "";
    put_prologue(w, options->ignore_outgoing);
    bool done = options->interface == NULL ? put_both(w, options, complaint)
                                           : put_program(w, options, options->link, complaint);
    if (!done) {
        return err_set(err, ERR_USAGE, "filter '%s': %s", options->expression, complaint);
    }
    if (w->is_full) {
        return err_set(err, ERR_USAGE, "filter '%s': longer than the kernel takes (%d instructions)",
                       options->expression, BPF_MAXINSNS);
    }
    ret->code = malloc(w->count * sizeof ret->code[0]);
    if (ret->code == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    memcpy(ret->code, w->code, w->count * sizeof ret->code[0]);
    ret->count = (uint16_t)w->count;
    return true;
}

bool socket_filter_init(struct socket_filter *ret, const struct socket_filter_options *options,
                        struct err *err)
{
    *ret = (struct socket_filter){0};
    struct writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    bool done = assemble(w, ret, options, err);
    free(w);
    return done;
}

void socket_filter_done(struct socket_filter *filter)
{
    free(filter->code);
    *filter = (struct socket_filter){0};
}
