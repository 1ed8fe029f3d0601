// SPDX-License-Identifier: Apache-2.0
#include "proto/nfs/nfs_report.h"

#include "base/json.h"
#include "proto/nfs/nfs_name.h"

enum { NUMBER_MAX = 24, NAME_MAX = 48 };

/* Where the texts of an event are while it is logged. */
struct texts {
    char user[NUMBER_MAX];
    char group[NUMBER_MAX];
    char groups[NFS_GROUPS_MAX][NUMBER_MAX];
    struct span group_items[NFS_GROUPS_MAX];
    char operation[NAME_MAX]; /* "nfs." and the operation */
    char status[NAME_MAX];
    char flavor[NAME_MAX];
};

static struct span write_number(char *to, uint32_t number)
{
    return span_of(to, (size_t)(json_digits(to, number) - to));
}

/* The name, or `otherwise` with the number in parentheses. */
static struct span write_name(char *to, const char *name, const char *otherwise, uint32_t number)
{
    if (name != NULL) {
        return span_str(name);
    }
    char *at = stpcpy(to, otherwise);
    at = json_digits(stpcpy(at, " ("), number);
    *at++ = ')';
    return span_of(to, (size_t)(at - to));
}

static void write_xid(char *to, uint32_t xid)
{
    for (int i = 0; i < 8; i++) {
        to[i] = "0123456789abcdef"[xid >> (28 - 4 * i) & 15];
    }
    to[8] = '\0';
}

static struct event_optional some(uint32_t value)
{
    return (struct event_optional){.value = value, .present = true};
}

static struct span flavor_of(char *to, uint32_t flavor)
{
    static const char *const names[] = {[0] = "none", [1] = "unix", [6] = "rpcsec_gss"};
    const char *name = flavor < sizeof names / sizeof *names ? names[flavor] : NULL;
    return write_name(to, name, "unknown", flavor);
}

static void set_credentials(struct nfs_event *e, const struct rpc_credentials *from,
                            struct texts *texts)
{
    e->flavor = flavor_of(texts->flavor, from->flavor);
    if (!from->is_unix) {
        return;
    }
    e->machine = from->machine;
    e->stamp = some(from->stamp);
    e->uid = some(from->uid);
    e->gid = some(from->gid);
    e->user = write_number(texts->user, from->uid);
    e->group = write_number(texts->group, from->gid);
    for (uint32_t i = 0; i < from->group_count; i++) {
        texts->group_items[i] = write_number(texts->groups[i], from->groups[i]);
    }
    e->groups = (struct event_spans){.count = from->group_count, .items = texts->group_items};
}

static void set_call(struct nfs_event *e, const struct nfs_call *call, struct texts *texts)
{
    const struct rpc_message *m = &call->message;
    struct transaction *t = &e->transaction;
    t->request_side = call->link.side;
    t->start_ns = call->link.start_ns;
    t->request_ns = call->link.end_ns;
    t->source_bytes = call->bytes;
    t->protocol = m->version == 4 ? "nfsv4" : "nfsv3";
    e->version = some(m->version);
    if (m->has_tag) {
        e->minor_version = some(m->minor_version);
        e->tag = m->tag;
    }
    struct span name = write_name(texts->status, m->operation, "ILLEGAL", m->operation_number);
    char *end = mempcpy(stpcpy(texts->operation, "nfs."), name.data, name.size);
    t->action = span_of(texts->operation, (size_t)(end - texts->operation));
    e->operation = span_skip(t->action, 4);
    set_credentials(e, &m->credentials, texts);
    write_xid(e->xid, m->xid);
}

static bool is_refused(const struct nfs_reply *reply)
{
    return reply->message->denied != 0 || reply->message->accepted != 0;
}

static void set_reply(struct nfs_event *e, const struct nfs_call *call,
                      const struct nfs_reply *reply, struct texts *texts)
{
    struct transaction *t = &e->transaction;
    t->response_ns = reply->start_ns;
    t->end_ns = reply->end_ns;
    t->destination_bytes = reply->bytes;
    e->rpc_status = rpc_status_name(reply->message);
    uint32_t status;
    bool has_status = call != NULL && call->message.procedure != 0 && !is_refused(reply) &&
                      nfs_status_read(reply->message->results, &status);
    if (has_status) {
        e->status = write_name(texts->status, nfs_status_name(status), "unknown", status);
    }
    if (call == NULL) {
        t->start_ns = reply->start_ns;
        t->request_side = 1 - reply->side;
        write_xid(e->xid, reply->message->xid);
    }
}

/* Whether it is to be an event. */
static bool count(struct proto_context *c, const struct nfs_call *call,
                  const struct nfs_reply *reply)
{
    struct nfs_stats *stats = nfs_stats_of(c);
    if (call != NULL && !call->message.is_nfs) {
        return false;
    }
    stats->transactions += call != NULL && reply != NULL;
    stats->errors += reply == NULL || (call != NULL && is_refused(reply));
    stats->unanswered += reply == NULL;
    stats->unmatched += call == NULL;
    return c->events->capacity > 0 && (call != NULL || c->settings->report_unmatched);
}

void nfs_report(struct proto_context *c, const struct nfs_call *call, const struct nfs_reply *reply,
                const char *reason)
{
    if (!count(c, call, reply)) {
        return;
    }
    struct texts texts;
    struct span note;
    struct nfs_event e = {.transaction.head.type = &nfs_event_type};
    struct transaction *t = &e.transaction;
    if (call != NULL) {
        set_call(&e, call, &texts);
    }
    if (reply != NULL) {
        set_reply(&e, call, reply, &texts);
    }
    bool failed = call == NULL || reply == NULL || is_refused(reply);
    t->status = failed ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->status_text = reply == NULL ? "NO_REPLY" : NULL;
    t->outcome = failed ? "failure" : "success";
    t->reason = reason;
    if (call == NULL || reply == NULL) {
        note = span_str(call == NULL ? "Unmatched response" : "Unmatched request");
        t->notes = (struct event_spans){1, &note};
    }
    (void)event_log_add(c->events, &t->head);
}
