// SPDX-License-Identifier: Apache-2.0
/* Makes events of messages. */
#pragma once

#include "proto/proto.h"
#include "proto/sip/sip_event.h"
#include "proto/sip/sip_message.h"

struct sip_options {
    struct proto_settings settings;
    bool parse_authorization;
    bool parse_body;
    bool keep_original;
    const char *transport; /* for the sake of old configurations: packets say what they came by */
};

static inline const struct sip_options *sip_options_of(const struct proto_context *c)
{
    return (const struct sip_options *)c->settings;
}

/* Counts and reports a message; `bytes` is all of it, as far as it is there. */
void sip_report(struct proto_context *c, const struct sip_message *m, struct span bytes,
                unsigned side, uint64_t time_ns);
