// SPDX-License-Identifier: Apache-2.0
/* What users may choose about a protocol: rows of a table, as for metrics and events. The engine makes
 * the struct that the table describes from the configuration (`protocols.NAME.KEY`), fills in every
 * value, and lends it, constant, to the hooks. The struct begins with `struct proto_settings`, whose
 * rows every protocol has without naming them; where one of them is otherwise for a protocol (another
 * default, another meaning), the protocol's table has a row of that name, which takes its place. */
#pragma once

#include "base/text.h"

enum proto_option_kind {
    PROTO_OPTION_FLAG,     /* bool */
    PROTO_OPTION_NUMBER,   /* int64_t, */
    PROTO_OPTION_SIZE,     /* bytes, */
    PROTO_OPTION_DURATION, /* nanoseconds */
    PROTO_OPTION_TEXT,     /* const char *, never NULL */
    PROTO_OPTION_CHOICE,   /* const char *, one of `choices` */
    PROTO_OPTION_LIST,     /* struct text_list */
};

struct proto_option {
    const char *name; /* as in the configuration; Packetbeat's where it has one */
    enum proto_option_kind kind;
    size_t offset;        /* in the options struct */
    const char *fallback; /* the default as one would write it; NULL: empty */
    const char *help;     /* sentences */
    int64_t minimum;      /* of numbers */
    int64_t maximum;
    const char *const *choices; /* NULL-terminated */
};

/* What every protocol that reads conversations has. */
struct proto_settings {
    bool enabled;
    struct text_list ports;      /* "80", "8000-8010"; by default those of struct proto */
    bool only_ports;             /* not followed elsewhere, though it were recognised */
    bool send_request;           /* events carry the request as it was sent, in `request` */
    bool send_response;          /* ... and the response */
    bool report_unmatched;       /* responses whose request was not seen are events, too */
    int64_t transaction_timeout; /* ns that a request may wait for its response */
};

/* The rows of struct proto_settings; ended by a NULL name. */
extern const struct proto_option proto_settings_options[];
