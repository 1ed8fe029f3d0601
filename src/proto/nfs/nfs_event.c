// SPDX-License-Identifier: Apache-2.0
#include "proto/nfs/nfs_event.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct nfs_event, member),                \
        .flags = flags_, .help = help_                                                             \
    }
#define FIELD(name, kind, member, help) ROW(name, kind, member, 0, help)

static const struct event_field fields[] = {
    FIELD("group.id", EVENT_SPAN, group, "as rpc.cred.gid"),
    FIELD("host.hostname", EVENT_SPAN, machine, "as rpc.cred.machinename"),
    FIELD("nfs.minor_version", EVENT_OPTIONAL, minor_version, "of version 4"),
    FIELD("nfs.opcode", EVENT_SPAN, operation,
          "the procedure; of a compound the first operation that does more than prepare"),
    FIELD("nfs.status", EVENT_SPAN, status, "how it ended"),
    FIELD("nfs.tag", EVENT_SPAN, tag, "what the client calls the compound"),
    FIELD("nfs.version", EVENT_OPTIONAL, version, "3 or 4"),
    FIELD("rpc.auth_flavor", EVENT_SPAN, flavor, "none, unix, rpcsec_gss or unknown (number)"),
    FIELD("rpc.cred.gid", EVENT_OPTIONAL, gid, "the client's group"),
    FIELD("rpc.cred.gids", EVENT_SPANS, groups, "its further groups"),
    ROW("rpc.cred.machinename", EVENT_SPAN, machine, EVENT_COPY, "the client's name for itself"),
    FIELD("rpc.cred.stamp", EVENT_OPTIONAL, stamp, "any number that the client made"),
    FIELD("rpc.cred.uid", EVENT_OPTIONAL, uid, "the client's user"),
    FIELD("rpc.status", EVENT_TEXT, rpc_status, "whether the call was carried out"),
    FIELD("rpc.xid", EVENT_INLINE, xid, "the number of the call, in hexadecimal"),
    ROW("source.domain", EVENT_SPAN, machine, EVENT_COPY, "as rpc.cred.machinename"),
    FIELD("user.id", EVENT_SPAN, user, "as rpc.cred.uid"),
    {0},
};

const struct event_type nfs_event_type = {
    .dataset = "nfs",
    .help = "A call to a file server and its reply",
    .size = sizeof(struct nfs_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct nfs_stats, member),     \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(requests, "messages", "Calls to NFS version 3 and 4"),
    COUNTER(responses, "messages", "Replies, those of other programs included"),
    COUNTER(transactions, "transactions", "Calls with their replies"),
    COUNTER(errors, "transactions", "Calls that RPC refused, or that got no reply"),
    COUNTER(unanswered, "messages", "Calls whose reply was not seen"),
    COUNTER(unmatched, "messages", "Replies whose call was not seen"),
    COUNTER(repeated, "messages", "Calls that were sent again while they waited"),
    COUNTER(evicted, "messages", "Calls given up because too many waited"),
    COUNTER(other_programs, "messages", "Calls to other programs on the same connection"),
    COUNTER(malformed, "places", "Places where a message should be and none is"),
    COUNTER(not_kept, "messages", "Messages that there was no memory for"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    {0},
};

const struct metric_set nfs_set = {
    .name = "nfs",
    .help = "Calls to NFS servers and their replies",
    .metrics = metrics,
    .size = sizeof(struct nfs_stats),
};
