// SPDX-License-Identifier: Apache-2.0
#include "proto/nfs/nfs_flow.h"

#include "proto/nfs/nfs_report.h"

/* ---- Calls that wait ------------------------------------------------------------------------ */

/* The call of that number that `side` sent; NULL: none. */
static struct nfs_call *find(const struct nfs_flow *f, uint32_t xid, unsigned side)
{
    for (struct waiter *w = f->waiting.head; w != NULL; w = w->next) {
        struct nfs_call *call = (struct nfs_call *)w;
        if (call->message.xid == xid && w->side == side) {
            return call;
        }
    }
    return NULL;
}

/* Reports it without a reply. */
static void forget(struct proto_context *c, struct nfs_call *call, const char *reason)
{
    waiting_remove(&nfs_flow_of(c)->waiting, &call->link);
    nfs_report(c, call, NULL, call->may_be_answered ? "gap" : reason);
    slab_give(c->memory, call);
}

void nfs_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct waiter *next;
    for (struct waiter *w = nfs_flow_of(c)->waiting.head; w != NULL; w = next) {
        next = w->next;
        if (waiting_is_of(w, side)) {
            forget(c, (struct nfs_call *)w, reason);
        }
    }
}

void nfs_age(struct proto_context *c, uint64_t now_ns)
{
    struct waiting *waiting = &nfs_flow_of(c)->waiting;
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    while (waiting->head != NULL && waiting->head->end_ns + timeout < now_ns) {
        forget(c, (struct nfs_call *)waiting->head, "timeout");
    }
}

void nfs_doubt(struct proto_context *c, unsigned side)
{
    for (struct waiter *w = nfs_flow_of(c)->waiting.head; w != NULL; w = w->next) {
        struct nfs_call *call = (struct nfs_call *)w;
        call->may_be_answered = call->may_be_answered || w->side != side;
    }
}

/* ---- Messages ------------------------------------------------------------------------------- */

static struct span keep_text(uint8_t *to, struct span text)
{
    struct span head = span_head(text, NFS_TEXT_MAX);
    if (head.size > 0) {
        memcpy(to, head.data, head.size);
    }
    return span_of(to, head.size);
}

static void take_call(struct proto_context *c, const struct rpc_message *m,
                      const struct nfs_arrival *arrival)
{
    struct nfs_flow *f = nfs_flow_of(c);
    struct nfs_stats *stats = nfs_stats_of(c);
    if (find(f, m->xid, arrival->side) != NULL) {
        stats->repeated++;
        return;
    }
    stats->requests += m->is_nfs;
    stats->other_programs += !m->is_nfs;
    if (f->waiting.count >= NFS_WAITING_MAX) {
        stats->evicted++;
        forget(c, (struct nfs_call *)f->waiting.head, "evicted");
    }
    struct nfs_call *call = slab_take(c->memory, sizeof *call);
    if (call == NULL) {
        stats->not_kept++;
        return;
    }
    *call = (struct nfs_call){.link = {.start_ns = arrival->start_ns,
                                       .end_ns = arrival->end_ns,
                                       .side = arrival->side},
                              .bytes = arrival->bytes,
                              .message = *m};
    call->message.credentials.machine = keep_text(call->text[0], m->credentials.machine);
    call->message.tag = keep_text(call->text[1], m->tag);
    waiting_add(&f->waiting, &call->link);
}

static void take_reply(struct proto_context *c, const struct rpc_message *m,
                       const struct nfs_arrival *arrival)
{
    struct nfs_flow *f = nfs_flow_of(c);
    struct nfs_reply reply = {.message = m,
                              .start_ns = arrival->start_ns,
                              .end_ns = arrival->end_ns,
                              .bytes = arrival->bytes,
                              .side = arrival->side};
    nfs_stats_of(c)->responses++;
    struct nfs_call *call = find(f, m->xid, 1 - arrival->side);
    if (call != NULL) {
        waiting_remove(&f->waiting, &call->link);
    }
    nfs_report(c, call, &reply, NULL);
    slab_give(c->memory, call);
}

bool nfs_take(struct proto_context *c, const struct nfs_arrival *arrival)
{
    struct rpc_message m;
    if (!rpc_message_read(&m, arrival->data)) {
        nfs_stats_of(c)->malformed += !arrival->is_holed;
        return arrival->is_holed;
    }
    if (m.is_reply) {
        take_reply(c, &m, arrival);
    } else {
        take_call(c, &m, arrival);
    }
    return true;
}
