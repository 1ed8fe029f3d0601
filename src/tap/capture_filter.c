// SPDX-License-Identifier: Apache-2.0
#include "tap/capture_filter.h"

#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "tap/tap.h"

struct link_program {
    uint16_t link;
    bool is_usable;
    struct bpf_program code;
};

struct capture_filter {
    char *expression;
    uint32_t program_count;
    struct link_program programs[CAPTURE_FILTER_LINKS];
    uint16_t refused_link;
    uint64_t refused_frames;
    char refusal[PCAP_ERRBUF_SIZE];
};

/* The DLT_ value that libpcap knows on this system for a LINKTYPE_ number. */
static int to_dlt(uint16_t link)
{
    return link == FRAME_LINK_RAW ? DLT_RAW : link;
}

/* libpcap's complaint goes to `complaint`, PCAP_ERRBUF_SIZE bytes. */
static bool compile(const char *expression, uint16_t link, struct bpf_program *code,
                    char *complaint)
{
    pcap_t *dead = pcap_open_dead(to_dlt(link), TAP_FRAME_MAX);
    if (dead == NULL) {
        snprintf(complaint, PCAP_ERRBUF_SIZE, "out of memory");
        return false;
    }
    bool done = pcap_compile(dead, code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!done) {
        snprintf(complaint, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(dead));
    }
    pcap_close(dead);
    return done;
}

/* Whether the expression has a meaning for one of the link types that offer the most words. */
static bool check_expression(const char *expression, struct err *err)
{
    static const uint16_t links[] = {DLT_EN10MB, DLT_LINUX_SLL2, DLT_IEEE802_11_RADIO};
    char first[PCAP_ERRBUF_SIZE] = "";
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct bpf_program code;
        char complaint[PCAP_ERRBUF_SIZE];
        if (compile(expression, links[i], &code, complaint)) {
            pcap_freecode(&code);
            return true;
        }
        if (i == 0) {
            memcpy(first, complaint, sizeof first);
        }
    }
    return err_set(err, ERR_USAGE, "filter '%s': %s", expression, first);
}

struct capture_filter *capture_filter_new(const char *expression, struct err *err)
{
    if (!check_expression(expression, err)) {
        return NULL;
    }
    struct capture_filter *filter = calloc(1, sizeof *filter);
    if (filter != NULL) {
        filter->expression = strdup(expression);
    }
    if (filter == NULL || filter->expression == NULL) {
        err_set(err, ERR_FAILED, "filter '%s': out of memory", expression);
        free(filter);
        return NULL;
    }
    return filter;
}

void capture_filter_free(struct capture_filter *filter)
{
    if (filter == NULL) {
        return;
    }
    for (uint32_t i = 0; i < filter->program_count; i++) {
        if (filter->programs[i].is_usable) {
            pcap_freecode(&filter->programs[i].code);
        }
    }
    free(filter->expression);
    free(filter);
}

/* The program for `link`, compiled if it is new; NULL when there is none. */
static const struct link_program *find_program(struct capture_filter *filter, uint16_t link)
{
    for (uint32_t i = 0; i < filter->program_count; i++) {
        if (filter->programs[i].link == link) {
            return &filter->programs[i];
        }
    }
    if (filter->program_count == CAPTURE_FILTER_LINKS) {
        snprintf(filter->refusal, sizeof filter->refusal, "more than %d link types",
                 CAPTURE_FILTER_LINKS);
        filter->refused_link = link;
        return NULL;
    }
    struct link_program *program = &filter->programs[filter->program_count++];
    program->link = link;
    char complaint[PCAP_ERRBUF_SIZE];
    program->is_usable = compile(filter->expression, link, &program->code, complaint);
    if (!program->is_usable) {
        memcpy(filter->refusal, complaint, sizeof complaint);
        filter->refused_link = link;
    }
    return program;
}

uint32_t capture_filter_apply(struct capture_filter *filter, struct frame *frames, uint32_t count)
{
    const struct link_program *program = NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = &frames[i];
        if (program == NULL || program->link != frame->link) {
            program = find_program(filter, frame->link);
        }
        if (program == NULL || !program->is_usable) {
            filter->refused_frames++;
        } else if (bpf_filter(program->code.bf_insns, frame->data, frame->wire_len,
                              frame->cap_len) != 0) {
            frames[kept++] = *frame;
        }
    }
    return kept;
}

bool capture_filter_check(const struct capture_filter *filter, struct err *err)
{
    if (filter->refused_frames == 0) {
        return true;
    }
    return err_set(err, ERR_FAILED, "filter '%s': %" PRIu64 " frames left out, it has no meaning "
                   "for link type %u: %s", filter->expression, filter->refused_frames,
                   filter->refused_link, filter->refusal);
}
