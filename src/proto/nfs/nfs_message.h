// SPDX-License-Identifier: Apache-2.0
/* Messages of ONC RPC version 2 (RFC 5531 §9) and what is within calls and replies of NFS version 3
 * and 4. Pure functions over spans: what is cut is read as far as it goes. */
#pragma once

#include "base/span.h"

enum {
    RPC_MARK = 4,  /* before a fragment, RFC 5531 §11 */
    RPC_LOOK = 28, /* with that, what shows whether it is RPC */
    RPC_MESSAGE_MAX = 16 << 20,
    NFS_GROUPS_MAX = 16, /* RFC 5531 appendix A */
};

enum rpc_looks { RPC_LOOKS_ELSE, RPC_LOOKS_CUT, RPC_LOOKS_CALL, RPC_LOOKS_REPLY };

/* What RPC message the bytes of a connection begin with, a mark and RPC_LOOK bytes in all. */
enum rpc_looks rpc_look(struct span data);
/* The same of a datagram, or of a fragment's payload. */
enum rpc_looks rpc_look_payload(struct span data);
/* Whether the payload is a call to NFS version 3 or 4. */
bool rpc_calls_nfs(struct span data);

/* Who asks: AUTH_SYS; RFC 5531 appendix A. */
struct rpc_credentials {
    bool is_unix;
    uint32_t flavor;
    uint32_t stamp;
    uint32_t uid;
    uint32_t gid;
    uint32_t group_count;
    uint32_t groups[NFS_GROUPS_MAX];
    struct span machine; /* borrowed */
};

struct rpc_message {
    uint32_t xid;
    bool is_reply;
    bool is_nfs; /* a call to version 3 or 4 */
    uint32_t version;
    uint32_t procedure;
    struct rpc_credentials credentials;
    const char *operation; /* static; NULL: of no name, */
    uint32_t operation_number;
    struct span tag; /* borrowed; of version 4 */
    uint32_t minor_version;
    bool has_tag;
    uint32_t denied;     /* reply_stat */
    uint32_t accepted;   /* accept_stat, or reject_stat */
    struct span results; /* borrowed */
};

/* Reads a message, or its beginning; false if it is none. */
bool rpc_message_read(struct rpc_message *m, struct span data);
/* The status that results begin with: false if there is none. */
bool nfs_status_read(struct span results, uint32_t *status);
/* How a reply ended: "success", "program unavailable" ... */
const char *rpc_status_name(const struct rpc_message *reply);
