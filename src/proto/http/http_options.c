// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_options.h"

#define AT(name_, member_, kind_, fallback_, help_)                                                \
    .name = #name_, .kind = kind_, .offset = offsetof(struct http_options, member_),               \
    .fallback = fallback_, .help = help_
#define ROW(name, kind, fallback, help) AT(name, name, kind, fallback, help)
#define SHOWN(name, kind, fallback, help) AT(name, shown.name, kind, fallback, help)

const struct proto_option http_options[] = {
    {SHOWN(redact_secrets, PROTO_OPTION_FLAG, "true",
         "Hide the values of parameters and headers that are named like secrets.")},
    {SHOWN(redact_authorization, PROTO_OPTION_FLAG, "false",
         "Show Authorization and Proxy-Authorization as *.")},
    {SHOWN(send_all_headers, PROTO_OPTION_FLAG, "false", "Events have all headers.")},
    {SHOWN(split_cookie, PROTO_OPTION_FLAG, "false", "Cookie and Set-Cookie become objects.")},
    {ROW(decode_body, PROTO_OPTION_FLAG, "true",
         "Bodies are shown unpacked: gzip and deflate are undone.")},
    {SHOWN(send_headers, PROTO_OPTION_LIST, NULL, "Headers that events have.")},
    {SHOWN(redact_headers, PROTO_OPTION_LIST, NULL, "Headers whose values become REDACTED.")},
    {SHOWN(hide_keywords, PROTO_OPTION_LIST, NULL,
         "Parameters of URLs and forms whose values become xxxxx.")},
    {ROW(include_body_for, PROTO_OPTION_LIST, NULL,
         "Content types, or parts of them, of which events have the body.")},
    {ROW(include_request_body_for, PROTO_OPTION_LIST, NULL, "The same for requests only.")},
    {ROW(include_response_body_for, PROTO_OPTION_LIST, NULL, "The same for responses only.")},
    {ROW(real_ip_header, PROTO_OPTION_TEXT, NULL,
         "The header in which a proxy names its client, for network.forwarded_ip.")},
    {ROW(max_message_size, PROTO_OPTION_SIZE, "10M", "Of a body no more than this is kept, and shown unpacked."),
     .minimum = 0, .maximum = INT64_C(1) << 30},
    {0},
};
