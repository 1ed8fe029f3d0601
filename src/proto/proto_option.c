// SPDX-License-Identifier: Apache-2.0
#include "proto/proto.h"

#include <assert.h>

#define ROW(name_, kind_, fallback_, help_)                                                        \
    .name = #name_, .kind = kind_, .offset = offsetof(struct proto_settings, name_),               \
    .fallback = fallback_, .help = help_

const struct proto_option proto_settings_options[] = {
    {ROW(enabled, PROTO_OPTION_FLAG, "true", "Follow it at all.")},
    {ROW(ports, PROTO_OPTION_LIST, NULL, "Ports, or ranges of them, where it is looked for first.")},
    {ROW(only_ports, PROTO_OPTION_FLAG, "false", "Leave it alone on all other ports.")},
    {ROW(send_request, PROTO_OPTION_FLAG, "false", "Put the request as it was sent into the event.")},
    {ROW(send_response, PROTO_OPTION_FLAG, "false", "Likewise the response.")},
    {ROW(report_unmatched, PROTO_OPTION_FLAG, "false",
         "Responses whose request was not seen are events, too.")},
    {ROW(transaction_timeout, PROTO_OPTION_DURATION, "10s", "How long a request waits for its response."),
     .minimum = 1000000, .maximum = INT64_C(86400000000000)},
    {0},
};

size_t proto_options_size(const struct proto *proto)
{
    return proto->options_size != 0 ? proto->options_size : sizeof(struct proto_settings);
}

static bool default_number(const struct proto_option *option, int64_t *ret)
{
    switch (option->kind) {
    case PROTO_OPTION_SIZE:
        return text_parse_size(option->fallback, ret);
    case PROTO_OPTION_DURATION:
        return text_parse_duration(option->fallback, ret);
    default:
        return text_parse_number(option->fallback, ret);
    }
}

static void set_default(const struct proto_option *option, char *to)
{
    void *at = to + option->offset;
    bool is_good = true;
    switch (option->kind) {
    case PROTO_OPTION_FLAG:
        *(bool *)at = strcmp(option->fallback, "true") == 0;
        break;
    case PROTO_OPTION_TEXT:
    case PROTO_OPTION_CHOICE:
        *(const char **)at = option->fallback != NULL ? option->fallback : "";
        break;
    case PROTO_OPTION_LIST:
        break;
    default:
        is_good = default_number(option, at);
        break;
    }
    assert(is_good && "a default that its own kind refuses");
}

void proto_options_default(const struct proto *proto, void *to)
{
    memset(to, 0, proto_options_size(proto));
    for (const struct proto_option *o = proto_settings_options; o->name != NULL; o++) {
        set_default(o, to);
    }
    for (const struct proto_option *o = proto->options; o != NULL && o->name != NULL; o++) {
        set_default(o, to);
    }
}
