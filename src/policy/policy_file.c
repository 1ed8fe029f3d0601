// SPDX-License-Identifier: Apache-2.0
/* Files of inputs that are no captures of packets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/dnstap.h"
#include "policy/policy.h"
#include "policy/policy_filter.h"
#include "policy/policy_set.h"

bool policies_reads_dnstap(struct policies *set)
{
    return policies_input_count(set, HANDLER_DNSTAP) > 0 &&
           policies_input_count(set, HANDLER_PCAP) == 0;
}

bool policies_reads_flows(struct policies *set)
{
    return policies_input_count(set, HANDLER_FLOW) > 0;
}

/* Shows a message to all inputs that want it. */
static void show(struct policies *set, struct intake *intake, struct span frame)
{
    struct handler_event event;
    for (struct policy_input *input = set->inputs; input != NULL; input = input->next) {
        if (input->kind == HANDLER_DNSTAP && dnstap_event(frame, 0, &event) &&
            policy_filter_takes(input, &event)) {
            intake_event(intake, input, &event);
        }
    }
}

/* Takes whole frames off the front; returns what is left, and false when it is no such stream. */
static bool take_frames(struct policies *set, struct intake *intake, struct span *bytes)
{
    for (;;) {
        size_t size;
        uint32_t control;
        struct span frame;
        switch (dnstap_next(*bytes, &size, &frame, &control)) {
        case DNSTAP_MORE:
            return true;
        case DNSTAP_BAD:
            return false;
        case DNSTAP_DATA:
            show(set, intake, frame);
            break;
        case DNSTAP_CONTROL:
            break;
        }
        *bytes = span_skip(*bytes, size);
    }
}

static bool read_stream(struct policies *set, struct intake *intake, FILE *file)
{
    enum { ROOM = 2 * DNSTAP_FRAME_MAX };
    uint8_t *room = malloc(ROOM);
    size_t used = 0, got;
    bool is_good = room != NULL;
    while (is_good && (got = fread(room + used, 1, ROOM - used, file)) > 0) {
        struct span left = span_of(room, used + got);
        is_good = take_frames(set, intake, &left);
        memmove(room, left.data, left.size);
        used = left.size;
    }
    free(room);
    return is_good;
}

bool policies_read_dnstap(struct policies *set, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return err_set(err, ERR_FAILED, "%s: %s", path, strerror(errno));
    }
    struct intake *intake = intake_new(set, 0, err);
    bool done = intake != NULL;
    if (done) {
        intake_poll(intake);
        done = read_stream(set, intake, file) ||
               err_set(err, ERR_FAILED, "%s: this is no dnstap file (Frame Streams)", path);
        intake_end(intake);
        policies_finish(set);
    }
    intake_free(intake);
    fclose(file);
    return done;
}
