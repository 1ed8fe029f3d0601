// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_options.h"

#define ROW(name_, member_, kind_, fallback_, help_)                                               \
    {                                                                                              \
        .name = #name_, .kind = kind_, .offset = offsetof(struct http2_options, member_),          \
        .fallback = fallback_, .help = help_                                                       \
    }
#define SHOWN(name, kind, fallback, help) ROW(name, shown.name, kind, fallback, help)

const struct proto_option http2_options[] = {
    SHOWN(redact_secrets, PROTO_OPTION_FLAG, "true",
          "Hide the values of parameters and headers that are named like secrets."),
    SHOWN(redact_authorization, PROTO_OPTION_FLAG, "false",
          "Show Authorization and Proxy-Authorization as *."),
    SHOWN(send_all_headers, PROTO_OPTION_FLAG, "false", "Events have all headers."),
    SHOWN(split_cookie, PROTO_OPTION_FLAG, "false", "Cookie and Set-Cookie become objects."),
    SHOWN(send_headers, PROTO_OPTION_LIST, NULL, "Headers that events have."),
    SHOWN(redact_headers, PROTO_OPTION_LIST, NULL, "Headers whose values become REDACTED."),
    SHOWN(hide_keywords, PROTO_OPTION_LIST, NULL, "Parameters of URLs whose values become xxxxx."),
    ROW(real_ip_header, real_ip_header, PROTO_OPTION_TEXT, NULL,
        "The header in which a proxy names its client, for network.forwarded_ip."),
    {0},
};
