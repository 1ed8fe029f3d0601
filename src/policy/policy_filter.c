// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_filter.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "policy/policy_band.h"

enum { FRAME_MAX = 262144 }; /* bytes of one that a filter may look at */

/* The link types that frames mostly have; others pass no filter. */
static const uint16_t links[POLICY_LINKS] = {FRAME_LINK_ETHERNET, FRAME_LINK_RAW,  FRAME_LINK_SLL,
                                             FRAME_LINK_SLL2,     FRAME_LINK_NULL, FRAME_LINK_LOOP};

static int dlt_of(uint16_t link)
{
    return link == FRAME_LINK_RAW ? DLT_RAW : link;
}

static bool compile_link(struct policy_input *input, size_t index)
{
    pcap_t *dead = pcap_open_dead(dlt_of(links[index]), FRAME_MAX);
    struct bpf_program *program = calloc(1, sizeof *program);
    bool done = dead != NULL && program != NULL &&
                pcap_compile(dead, program, input->bpf, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (done) {
        input->programs[index] = program;
    } else {
        free(program);
    }
    if (dead != NULL) {
        pcap_close(dead);
    }
    return done;
}

bool policy_filter_compile(const struct policies *set, struct policy_input *input, struct err *err)
{
    bool any = false;
    const struct tree *filter = tree_get(&input->config, "bpf");
    input->bpf = filter != NULL ? filter->text : NULL;
    input->is_by_talk = policy_band_is_by_talk(input->bpf);
    input->is_by_key = policy_band_is_by_key(input->bpf);
    if (input->bpf == NULL || *input->bpf == '\0') {
        input->bpf = NULL;
        return true;
    }
    for (size_t i = 0; i < POLICY_LINKS; i++) {
        any |= compile_link(input, i);
    }
    return any || err_set(err, ERR_USAGE, "Cannot set BPF filter to %s",
                          set->options.is_recorded ? "pcap file" : "interface");
}

bool policy_filter_passes(const struct policy_input *input, uint16_t link, struct span frame,
                         uint32_t wire_len)
{
    for (size_t i = 0; i < POLICY_LINKS; i++) {
        if (links[i] == link && input->programs[i] != NULL) {
            struct pcap_pkthdr head = {.caplen = (uint32_t)frame.size, .len = wire_len};
            return pcap_offline_filter(input->programs[i], &head, frame.data) != 0;
        }
    }
    return false;
}

void policy_filter_free(struct policy_input *input)
{
    for (size_t i = 0; i < POLICY_LINKS; i++) {
        if (input->programs[i] != NULL) {
            pcap_freecode(input->programs[i]);
            free(input->programs[i]);
        }
    }
}

bool policy_filter_takes(const struct policy_input *input, const struct handler_event *event)
{
    const struct hosts *hosts = &input->only_hosts;
    if (hosts->count == 0) {
        return true;
    }
    return event->version != 0 && (hosts_have(hosts, event->version, event->address[0]) ||
                                   hosts_have(hosts, event->version, event->address[1]));
}
