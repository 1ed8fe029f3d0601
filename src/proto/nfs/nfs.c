// SPDX-License-Identifier: Apache-2.0
/* NFS versions 3 and 4 over ONC RPC: what is asked of file servers and how it ends, see README.md.
 */
#include "base/cursor.h"
#include "proto/nfs/nfs_flow.h"

static const uint16_t ports[] = {2049, 0};

static const struct proto_option options[] = {
    {.name = "transaction_timeout", .kind = PROTO_OPTION_DURATION,
     .offset = offsetof(struct proto_settings, transaction_timeout), .fallback = "1m",
     .minimum = 1000000, .maximum = INT64_C(86400000000000),
     .help = "How long a call waits for its reply; servers that wait for a disk take their time."},
    {0},
};

/* A connection has a mark before what a datagram begins with. */
static enum proto_guess nfs_probe(struct span data, unsigned side)
{
    (void)side;
    enum rpc_looks datagram = rpc_look_payload(data);
    enum rpc_looks stream = rpc_look(data);
    if (datagram == RPC_LOOKS_CALL && rpc_calls_nfs(data)) {
        return PROTO_YES;
    }
    if (stream == RPC_LOOKS_CALL) {
        return rpc_calls_nfs(span_skip(data, RPC_MARK)) ? PROTO_YES : PROTO_NO;
    }
    bool is_open = stream != RPC_LOOKS_ELSE || datagram == RPC_LOOKS_REPLY;
    return is_open ? PROTO_UNSURE : PROTO_NO;
}

static struct nfs_side *side_of(const struct reading *r)
{
    return &nfs_flow_of(r->c)->side[r->number];
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* Forgets the message at hand. */
static void reset(const struct proto_context *c, struct nfs_side *s)
{
    slab_give(c->memory, s->kept);
    *s = (struct nfs_side){.kept = NULL};
}

/* What is said is no RPC; lets go when that happens too often. */
static enum reading_step survive(struct reading *r)
{
    reset(r->c, side_of(r));
    r->side->seeking = true;
    return reading_survives(&nfs_flow_of(r->c)->trust);
}

/* False: it is none of RPC. */
static bool end_message(struct proto_context *c, unsigned side, uint64_t time_ns)
{
    struct nfs_side *s = &nfs_flow_of(c)->side[side];
    struct nfs_arrival arrival = {
        .data = span_of(s->kept, s->kept_size),
        .start_ns = s->reading.start_ns,
        .end_ns = time_ns,
        .bytes = s->bytes,
        .side = (uint8_t)side,
        .is_holed = s->is_holed,
    };
    bool fine = s->kept == NULL || nfs_take(c, &arrival);
    reset(c, s);
    if (fine) {
        reading_understands(&nfs_flow_of(c)->trust);
    }
    return fine;
}

/* The bytes up to here are taken; those of a fragment begin no message. */
static enum reading_step go_on(struct reading *r, size_t size)
{
    const struct nfs_side *s = side_of(r);
    r->rest = span_skip(r->rest, size);
    bool is_whole = s->left == 0 && s->is_last;
    return !is_whole || end_message(r->c, r->number, r->time_ns) ? READING_GOES_ON : survive(r);
}

/* A fragment's mark. Where the first one is long enough it is looked at for what it should be. */
static enum reading_step read_mark(struct reading *r)
{
    struct nfs_side *s = side_of(r);
    if (r->rest.size < RPC_MARK) {
        return READING_WAITS;
    }
    uint32_t mark = load_be32(r->rest.data);
    uint32_t size = mark & INT32_MAX;
    bool is_looked_at = !s->is_within && size >= RPC_LOOK - RPC_MARK;
    enum rpc_looks looks = is_looked_at ? rpc_look(r->rest) : RPC_LOOKS_CALL;
    if (looks == RPC_LOOKS_CUT) {
        return READING_WAITS;
    }
    if (looks == RPC_LOOKS_ELSE || s->bytes + size > RPC_MESSAGE_MAX) {
        nfs_stats_of(r->c)->malformed++;
        reading_take(r, 1);
        return survive(r);
    }
    if (s->kept == NULL) {
        s->kept = slab_take(r->c->memory, NFS_KEPT_MAX);
        nfs_stats_of(r->c)->not_kept += s->kept == NULL;
    }
    s->is_within = true;
    s->is_last = mark >> 31;
    s->left = size;
    s->bytes += size;
    return go_on(r, RPC_MARK);
}

static enum reading_step read_payload(struct reading *r)
{
    struct nfs_side *s = side_of(r);
    struct span bytes = span_head(r->rest, s->left);
    struct span kept = span_head(bytes, NFS_KEPT_MAX - s->kept_size);
    if (s->kept != NULL && !s->is_holed && kept.size > 0) {
        memcpy(s->kept + s->kept_size, kept.data, kept.size);
        s->kept_size += (uint32_t)kept.size;
    }
    s->left -= (uint32_t)bytes.size;
    return go_on(r, bytes.size);
}

/* Where a message may begin. */
static enum proto_guess look(const struct reading *r)
{
    enum rpc_looks looks = r->rest.size < RPC_LOOK ? RPC_LOOKS_CUT : rpc_look(r->rest);
    return looks == RPC_LOOKS_CUT ? PROTO_UNSURE : looks == RPC_LOOKS_ELSE ? PROTO_NO : PROTO_YES;
}

static enum reading_step read_some(struct reading *r)
{
    if (side_of(r)->left > 0) {
        return read_payload(r);
    }
    if (r->side->seeking && !reading_seek(r, look)) {
        return READING_WAITS;
    }
    reading_begin(r);
    return read_mark(r);
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

static struct proto_taken nfs_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    nfs_age(c, chunk->time_ns);
    return reading_run(c, chunk, &nfs_flow_of(c)->side[chunk->side].reading, read_some);
}


static void nfs_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct nfs_side *s = &nfs_flow_of(c)->side[side];
    nfs_stats_of(c)->gaps++;
    if (s->left >= length) { /* within a fragment */
        s->left -= length;
        s->is_holed = s->is_holed || s->kept_size < NFS_KEPT_MAX;
        if (s->left == 0 && s->is_last) {
            (void)end_message(c, side, c->now_ns);
        }
        return;
    }
    nfs_doubt(c, side);
    reset(c, s);
    s->reading.seeking = true;
}

static void nfs_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    struct span payload = packet_payload(packet);
    nfs_age(c, packet->time_ns);
    struct nfs_arrival arrival = {
        .data = span_head(payload, NFS_KEPT_MAX),
        .start_ns = packet->time_ns,
        .end_ns = packet->time_ns,
        .bytes = packet->payload_len,
        .side = (uint8_t)side,
        .is_holed = payload.size < packet->payload_len,
    };
    (void)nfs_take(c, &arrival);
}

static void nfs_on_fin(struct proto_context *c, unsigned side)
{
    nfs_give_up(c, 1 - side, "closed");
}

static void nfs_on_close(struct proto_context *c, enum proto_close why)
{
    struct nfs_flow *f = nfs_flow_of(c);
    nfs_give_up(c, WAITING_BOTH, proto_close_reason(why));
    slab_give(c->memory, f->side[0].kept);
    slab_give(c->memory, f->side[1].kept);
}

static const struct event_type *const events[] = {&nfs_event_type, NULL};

static const char *const agreed_names[] = {"sunrpc", NULL}; /* RFC 7301 §6 */

const struct proto proto_nfs = {
    .name = "nfs",
    .help = "NFS versions 3 and 4: calls to file servers with their replies",
    .metrics = &nfs_set,
    .tcp_ports = ports,
    .agreed_names = agreed_names,
    .udp_ports = ports,
    .flow_size = sizeof(struct nfs_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct proto_settings),
    .probe = nfs_probe,
    .on_chunk = nfs_on_chunk,
    .on_gap = nfs_on_gap,
    .on_datagram = nfs_on_datagram,
    .on_fin = nfs_on_fin,
    .on_close = nfs_on_close,
};
