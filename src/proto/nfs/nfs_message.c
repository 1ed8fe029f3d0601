// SPDX-License-Identifier: Apache-2.0
#include "proto/nfs/nfs_message.h"

#include "base/cursor.h"
#include "proto/nfs/nfs_name.h"

enum {
    NFS_PROGRAM = 100003,
    RPC_VERSION = 2,
    CALL = 0,
    REPLY = 1,
    AUTH_UNIX = 1,
    AUTH_MAX = 400, /* RFC 5531 §8.2 */
    MACHINE_MAX = 255,
    OPERATIONS_MAX = 64, /* before the one that is shown */
    COMPOUND = 1,
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Looks ---------------------------------------------------------------------------------- */

static bool has_verifier(struct span data, size_t at)
{
    return load_be32(data.data + at + 4) <= AUTH_MAX;
}

enum rpc_looks rpc_look_payload(struct span data)
{
    enum { ENOUGH = RPC_LOOK - RPC_MARK };
    if (data.size < 8) {
        return RPC_LOOKS_CUT;
    }
    uint32_t kind = load_be32(data.data + 4);
    if (kind > REPLY) {
        return RPC_LOOKS_ELSE;
    }
    if (data.size < ENOUGH) {
        return RPC_LOOKS_CUT;
    }
    uint32_t first = load_be32(data.data + 8);
    if (kind == CALL) {
        bool fine = first == RPC_VERSION && load_be32(data.data + 12) >= 100000 &&
                    load_be32(data.data + 16) <= 100;
        return fine ? RPC_LOOKS_CALL : RPC_LOOKS_ELSE;
    }
    bool fine = first == 1 || (first == 0 && has_verifier(data, 12));
    return fine ? RPC_LOOKS_REPLY : RPC_LOOKS_ELSE;
}

enum rpc_looks rpc_look(struct span data)
{
    if (data.size < RPC_MARK) {
        return RPC_LOOKS_CUT;
    }
    uint32_t size = load_be32(data.data) & INT32_MAX;
    if (size < RPC_LOOK - RPC_MARK - 4 || size > RPC_MESSAGE_MAX) {
        return RPC_LOOKS_ELSE;
    }
    return rpc_look_payload(span_skip(data, RPC_MARK));
}

bool rpc_calls_nfs(struct span data)
{
    uint32_t version = load_be32(data.data + 16);
    return rpc_look_payload(data) == RPC_LOOKS_CALL && load_be32(data.data + 12) == NFS_PROGRAM &&
           (version == 3 || version == 4);
}

/* ---- Compounds ------------------------------------------------------------------------------ */

static uint32_t padded(uint32_t size)
{
    return size < UINT32_MAX - 3 ? (size + 3) & ~3U : size;
}

static struct span take_opaque(struct cursor *c)
{
    uint32_t size = cursor_be32(c);
    struct span bytes = cursor_take(c, size);
    cursor_skip(c, padded(size) - size);
    return bytes;
}

static void skip_bitmap(struct cursor *c)
{
    cursor_skip(c, (size_t)cursor_be32(c) * 4);
}

/* Goes past what an operation that only prepares others is called with; false: it is no such one.
 */
static bool skip_preparation(struct cursor *c, uint32_t operation)
{
    enum {
        GETATTR = 9,
        GETFH = 10,
        NVERIFY = 17,
        PUTFH = 22,
        PUTPUBFH = 23,
        PUTROOTFH = 24,
        RESTOREFH = 31,
        SAVEFH = 32,
        VERIFY = 37,
        SEQUENCE = 53,
        SEQUENCE_SIZE = 32,
    };
    switch (operation) {
    case GETFH:
    case PUTPUBFH:
    case PUTROOTFH:
    case RESTOREFH:
    case SAVEFH:
        return true;
    case GETATTR:
        skip_bitmap(c);
        return true;
    case NVERIFY:
    case VERIFY:
        skip_bitmap(c);
        (void)take_opaque(c);
        return true;
    case PUTFH:
        (void)take_opaque(c);
        return true;
    case SEQUENCE:
        cursor_skip(c, SEQUENCE_SIZE);
        return true;
    default:
        return false;
    }
}

/* Of the operations of a compound, the first that does not only prepare others; else the last. */
static void read_compound(struct rpc_message *m, struct cursor *c)
{
    m->tag = take_opaque(c);
    m->has_tag = !c->bad;
    m->minor_version = cursor_be32(c);
    uint32_t count = cursor_be32(c);
    for (uint32_t i = 0; i < count && i < OPERATIONS_MAX; i++) {
        uint32_t operation = cursor_be32(c);
        if (c->bad) {
            return;
        }
        m->operation_number = operation;
        m->operation = nfs_operation4(operation);
        if (!skip_preparation(c, operation)) {
            return;
        }
    }
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static void read_unix(struct rpc_credentials *to, struct span body)
{
    struct cursor c = cursor_of(body);
    to->stamp = cursor_be32(&c);
    to->machine = take_opaque(&c);
    to->uid = cursor_be32(&c);
    to->gid = cursor_be32(&c);
    uint32_t count = cursor_be32(&c);
    for (uint32_t i = 0; i < count && i < NFS_GROUPS_MAX; i++) {
        uint32_t group = cursor_be32(&c);
        if (c.bad) {
            break;
        }
        to->groups[to->group_count++] = group;
    }
    to->is_unix = to->machine.size <= MACHINE_MAX && (!c.bad || to->group_count > 0);
}

static bool read_call(struct rpc_message *m, struct cursor *c)
{
    bool fine = cursor_be32(c) == RPC_VERSION;
    uint32_t program = cursor_be32(c);
    m->version = cursor_be32(c);
    m->procedure = cursor_be32(c);
    m->is_nfs = program == NFS_PROGRAM && (m->version == 3 || m->version == 4);
    m->credentials.flavor = cursor_be32(c);
    struct span body = take_opaque(c);
    cursor_skip(c, 4); /* the verifier's flavor */
    (void)take_opaque(c);
    if (m->credentials.flavor == AUTH_UNIX) {
        read_unix(&m->credentials, body);
    }
    if (!fine || !m->is_nfs || c->bad) {
        return fine && !c->bad;
    }
    if (m->version == 3 || m->procedure != COMPOUND) {
        m->operation_number = m->procedure;
        m->operation = m->version == 3 || m->procedure == 0 ? nfs_operation3(m->procedure) : NULL;
    } else {
        read_compound(m, c);
    }
    return true;
}

/* ---- Replies -------------------------------------------------------------------------------- */

static bool read_reply(struct rpc_message *m, struct cursor *c)
{
    m->denied = cursor_be32(c);
    if (m->denied == 0) {
        cursor_skip(c, 4);
        (void)take_opaque(c);
    }
    m->accepted = cursor_be32(c);
    m->results = span_of(c->at, cursor_left(c));
    return m->denied <= 1 && !c->bad;
}

const char *rpc_status_name(const struct rpc_message *reply)
{
    static const char *const accepted[] = {"success",
                                           "program unavailable",
                                           "program version mismatch",
                                           "procedure unavailable",
                                           "garbage arguments",
                                           "system error"};
    static const char *const denied[] = {"RPC version mismatch", "authentication error"};
    uint32_t n = reply->accepted;
    if (reply->denied != 0) {
        return n < COUNT(denied) ? denied[n] : "denied";
    }
    return n < COUNT(accepted) ? accepted[n] : "unknown";
}

bool nfs_status_read(struct span results, uint32_t *status)
{
    *status = results.size >= 4 ? load_be32(results.data) : 0;
    return results.size >= 4;
}

bool rpc_message_read(struct rpc_message *m, struct span data)
{
    *m = (struct rpc_message){0};
    struct cursor c = cursor_of(data);
    m->xid = cursor_be32(&c);
    uint32_t kind = cursor_be32(&c);
    m->is_reply = kind == REPLY;
    if (kind > REPLY || c.bad) {
        return false;
    }
    return m->is_reply ? read_reply(m, &c) : read_call(m, &c);
}
