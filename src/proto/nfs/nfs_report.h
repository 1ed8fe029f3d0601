// SPDX-License-Identifier: Apache-2.0
/* Makes the event of a call and its reply, and counts. */
#pragma once

#include "proto/nfs/nfs_flow.h"

struct nfs_reply {
    const struct rpc_message *message;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;
    uint8_t side;
};

/* Either may be NULL; `reason`: why there is no reply. */
void nfs_report(struct proto_context *c, const struct nfs_call *call, const struct nfs_reply *reply,
                const char *reason);
