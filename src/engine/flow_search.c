// SPDX-License-Identifier: Apache-2.0
#include "engine/flow_search.h"

#include <stdlib.h>

static bool in_network(const struct flow_query *query, const uint8_t *address)
{
    unsigned whole = query->prefix / 8;
    unsigned rest = query->prefix % 8;
    if (memcmp(query->network.bytes, address, whole) != 0) {
        return false;
    }
    return rest == 0 || (query->network.bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool flow_search_match(const struct flow_query *query, const struct flow_key *key)
{
    if (query->protocol != 0 && (key->version == 0 || key->protocol != query->protocol)) {
        return false;
    }
    if (query->version != 0 && key->version != query->version) {
        return false;
    }
    if (query->port != 0 && key->port[0] != query->port && key->port[1] != query->port) {
        return false;
    }
    if (query->network.version != 0 &&
        (key->version != query->network.version ||
         !(in_network(query, key->address[0]) || in_network(query, key->address[1])))) {
        return false;
    }
    return true;
}

static uint64_t rank_of(const struct flow_query *query, const struct flow_event *row)
{
    uint64_t rank = 0;
    switch (query->sort) {
    case FLOW_SORT_BYTES:
        rank = row->network_bytes;
        break;
    case FLOW_SORT_PACKETS:
        rank = row->network_packets;
        break;
    case FLOW_SORT_START:
        rank = row->start_ns;
        break;
    case FLOW_SORT_LAST:
        rank = row->end_ns;
        break;
    case FLOW_SORT_DURATION:
        rank = row->duration_ns;
        break;
    }
    return query->ascending ? ~rank : rank;
}

/* Whether `a` is worse than `b`; ties by start, so that pages do not shift. */
static bool is_worse(const struct flow_query *query, const struct flow_event *a,
                     const struct flow_event *b)
{
    uint64_t x = rank_of(query, a), y = rank_of(query, b);
    if (x != y) {
        return x < y;
    }
    return a->start_ns != b->start_ns ? a->start_ns > b->start_ns
                                      : memcmp(&a->key, &b->key, sizeof a->key) > 0;
}

static void swap_rows(struct flow_event *a, struct flow_event *b)
{
    struct flow_event t = *a;
    *a = *b;
    *b = t;
}

/* A heap with the worst row on top, which the next better one replaces. */
static void sift_down(const struct flow_query *query, struct flow_event *rows, uint32_t count,
                      uint32_t at)
{
    for (;;) {
        uint32_t worst = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_worse(query, &rows[child], &rows[worst])) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        swap_rows(&rows[at], &rows[worst]);
        at = worst;
    }
}

static void sift_up(const struct flow_query *query, struct flow_event *rows, uint32_t at)
{
    while (at > 0 && is_worse(query, &rows[at], &rows[(at - 1) / 2])) {
        swap_rows(&rows[at], &rows[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void keep_best(struct flow_search *q, const struct flow_event *row)
{
    if (q->count < q->room) {
        q->rows[q->count] = *row;
        sift_up(q->query, q->rows, q->count++);
    } else if (q->room > 0 && is_worse(q->query, &q->rows[0], row)) {
        q->rows[0] = *row;
        sift_down(q->query, q->rows, q->count, 0);
    }
}

void flow_search_step(const struct flow_table *table, struct flow_search *q, uint32_t max,
                      uint64_t now_ns)
{
    uint32_t bound = flow_table_bound(table);
    uint32_t until = q->at + max < bound ? q->at + max : bound;
    for (; q->at < until; q->at++) {
        const struct flow *flow = flow_at(table, q->at);
        if (!(flow->flags & FLOW_IN_USE) || !flow_search_match(q->query, &flow->key)) {
            continue;
        }
        q->matched++;
        struct flow_event row;
        flow_event_fill(&row, flow, flow_cold_at(table, q->at), FLOW_REASON_PERIOD, now_ns, NULL);
        keep_best(q, &row);
    }
}

/* Heap sort: the worst goes to the end of what is left, so the best come first. */
void flow_search_sort(const struct flow_query *query, struct flow_event *rows, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;) {
        sift_down(query, rows, count, i);
    }
    for (uint32_t left = count; left > 1; left--) {
        swap_rows(&rows[0], &rows[left - 1]);
        sift_down(query, rows, left - 1, 0);
    }
}

bool flow_search_check(const struct flow_query *query, struct err *err)
{
    if (query->limit > FLOW_PAGE_MAX) {
        return err_set(err, ERR_USAGE, "limit: at most %d flows a page", FLOW_PAGE_MAX);
    }
    if (query->offset > FLOW_OFFSET_MAX) {
        return err_set(err, ERR_USAGE, "offset: at most %d; narrow the query instead",
                       FLOW_OFFSET_MAX);
    }
    if (query->prefix > (query->network.version == 4 ? 32 : 128)) {
        return err_set(err, ERR_USAGE, "ip: the prefix is longer than the address");
    }
    return true;
}
