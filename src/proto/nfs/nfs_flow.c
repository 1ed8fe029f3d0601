// SPDX-License-Identifier: Apache-2.0
#include "proto/nfs/nfs_flow.h"

#include "proto/nfs/nfs_report.h"

enum { BOTH_SIDES = 2 };

/* ---- Calls that wait ------------------------------------------------------------------------ */

static void push(struct nfs_flow *f, struct nfs_call *call)
{
    if (f->tail != NULL) {
        f->tail->next = call;
    } else {
        f->head = call;
    }
    f->tail = call;
    f->waiting++;
}

/* Takes the call behind `before` off the list; the first one when that is NULL. */
static struct nfs_call *pop(struct nfs_flow *f, struct nfs_call *before)
{
    struct nfs_call **at = before != NULL ? &before->next : &f->head;
    struct nfs_call *call = *at;
    *at = call->next;
    f->tail = f->tail == call ? before : f->tail;
    f->waiting--;
    return call;
}

/* The call of that number that `side` sent; `before` is the one ahead of it. */
static struct nfs_call *find(struct nfs_flow *f, uint32_t xid, unsigned side,
                             struct nfs_call **before)
{
    *before = NULL;
    for (struct nfs_call *call = f->head; call != NULL; call = call->next) {
        if (call->message.xid == xid && call->side == side) {
            return call;
        }
        *before = call;
    }
    return NULL;
}

/* Reports it without a reply. */
static void forget(struct proto_context *c, struct nfs_call *before, const char *reason)
{
    struct nfs_call *call = pop(nfs_flow_of(c), before);
    nfs_report(c, call, NULL, call->may_be_answered ? "gap" : reason);
    slab_give(c->memory, call);
}

void nfs_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct nfs_flow *f = nfs_flow_of(c);
    struct nfs_call *before = NULL;
    struct nfs_call *call = f->head;
    while (call != NULL) {
        struct nfs_call *next = call->next;
        if (side == BOTH_SIDES || call->side == side) {
            forget(c, before, reason);
        } else {
            before = call;
        }
        call = next;
    }
}

void nfs_age(struct proto_context *c, uint64_t now_ns)
{
    struct nfs_flow *f = nfs_flow_of(c);
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    while (f->head != NULL && f->head->end_ns < now_ns && now_ns - f->head->end_ns > timeout) {
        forget(c, NULL, "timeout");
    }
}

void nfs_doubt(struct proto_context *c, unsigned side)
{
    for (struct nfs_call *call = nfs_flow_of(c)->head; call != NULL; call = call->next) {
        call->may_be_answered = call->may_be_answered || call->side != side;
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
    struct nfs_call *before;
    if (find(f, m->xid, arrival->side, &before) != NULL) {
        stats->repeated++;
        return;
    }
    stats->requests += m->is_nfs;
    stats->other_programs += !m->is_nfs;
    if (f->head != NULL && f->waiting >= NFS_WAITING_MAX) {
        stats->evicted++;
        forget(c, NULL, "evicted");
    }
    struct nfs_call *call = slab_take(c->memory, sizeof *call);
    if (call == NULL) {
        stats->not_kept++;
        return;
    }
    *call = (struct nfs_call){.start_ns = arrival->start_ns,
                              .end_ns = arrival->end_ns,
                              .bytes = arrival->bytes,
                              .message = *m,
                              .side = arrival->side};
    call->message.credentials.machine = keep_text(call->text[0], m->credentials.machine);
    call->message.tag = keep_text(call->text[1], m->tag);
    push(f, call);
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
    struct nfs_call *before;
    if (find(f, m->xid, 1 - arrival->side, &before) == NULL) {
        nfs_report(c, NULL, &reply, NULL);
        return;
    }
    struct nfs_call *call = pop(f, before);
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
