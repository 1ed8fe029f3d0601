// SPDX-License-Identifier: Apache-2.0
#include "event/event_ends.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "event/transaction.h"

enum { PAIRS = EVENT_ENDS_MOST / 2, RELATED_MOST = 2 };

/* A template, and for which ends it is. */
struct ends_template {
    struct event_template template;
    uint8_t ends[TRANSACTION_ENDS_SIZE];
    uint32_t related_count;
    struct event_address related[RELATED_MOST];
};

/* Two places for what has the same hash, nearly, and who is to have one next. */
struct ends_pair {
    struct {
        uint64_t hash;
        struct ends_template *made; /* owned */
    } places[2];
    uint64_t candidate; /* the hash of the ends that had none last */
    uint64_t seen;      /* events of theirs, one after the other */
};

struct event_ends {
    unsigned without;
    struct ends_pair pairs[PAIRS];
};

struct event_ends *event_ends_new(unsigned without)
{
    struct event_ends *ends = calloc(1, sizeof *ends);
    if (ends != NULL) {
        ends->without = without;
    }
    return ends;
}

void event_ends_free(struct event_ends *ends)
{
    for (unsigned i = 0; ends != NULL && i < EVENT_ENDS_MOST; i++) {
        struct ends_template *made = ends->pairs[i / 2].places[i % 2].made;
        if (made != NULL) {
            event_template_done(&made->template);
            free(made);
        }
    }
    free(ends);
}

static inline const uint8_t *ends_of(const struct transaction *t)
{
    return (const uint8_t *)t + TRANSACTION_ENDS;
}

/* The Community ID stands for the flow, where the asking one's address and port begin for the direction. */
static inline uint64_t ends_hash(const struct transaction *t, uint64_t shape)
{
    uint64_t flow = load_le64((const uint8_t *)t->community_id + 2);
    uint64_t from = load_le64(ends_of(t)) + load_le64(t->source.bytes);
    uint64_t hash = (flow ^ shape) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ hash >> 32 ^ from) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* In pieces of 16 bytes, the last of which has some in common with the one before it. */
static inline bool are_same(const uint8_t *a, const uint8_t *b)
{
    typedef uint64_t piece __attribute__((vector_size(16)));
    enum { LAST = TRANSACTION_ENDS_SIZE - sizeof(piece) };
    piece differs = {0, 0};
    for (size_t at = 0; at < LAST + sizeof(piece); at += sizeof(piece)) {
        piece of_a, of_b;
        size_t from = at < LAST ? at : LAST;
        memcpy(&of_a, a + from, sizeof of_a);
        memcpy(&of_b, b + from, sizeof of_b);
        differs |= of_a ^ of_b;
    }
    return (differs[0] | differs[1]) == 0;
}

static inline bool is_of(const struct ends_template *made, const struct event_plan *plan,
                         const struct event_shape *shape, const struct transaction *t)
{
    size_t related = made->related_count * sizeof *made->related;
    return made->template.plan == plan && event_shape_same(&made->template.shape, shape) &&
           are_same(made->ends, ends_of(t)) && made->related_count == t->related_ip.count &&
           memcmp(made->related, t->related_ip.items, related) == 0;
}

/* Makes the template at the first place; what was there moves to the second. NULL without memory. */
static __attribute__((noinline)) const struct event_template *
make(struct event_ends *ends, struct ends_pair *pair, const struct event_plan *plan,
     const struct event_shape *shape, const struct transaction *t)
{
    struct ends_template *made = pair->places[1].made;
    made = made != NULL ? made : calloc(1, sizeof *made);
    pair->places[1] = pair->places[0];
    pair->places[0].made = made;
    pair->places[0].hash = pair->candidate;
    pair->seen = 0;
    if (made == NULL ||
        !event_template_make_of(&made->template, plan, shape, ends->without, &t->head)) {
        return NULL;
    }
    memcpy(made->ends, ends_of(t), sizeof made->ends);
    made->related_count = t->related_ip.count;
    memcpy(made->related, t->related_ip.items, made->related_count * sizeof *made->related);
    return &made->template;
}

const struct event_template *event_ends_find(struct event_ends *ends, const struct event_plan *plan,
                                             const struct event_shape *shape, uint64_t hash,
                                             const void *event)
{
    const struct transaction *t = event;
    uint64_t own = ends_hash(t, hash);
    struct ends_pair *pair = &ends->pairs[own % PAIRS];
    for (unsigned i = 0; i < 2; i++) {
        const struct ends_template *made = pair->places[i].made;
        if (pair->places[i].hash == own && made != NULL && is_of(made, plan, shape, t)) {
            return &made->template;
        }
    }
    if (t->related_ip.count > RELATED_MOST) {
        return NULL; /* and others, which are not the same each time */
    }
    pair->seen = pair->candidate == own ? pair->seen + 1 : 1;
    pair->candidate = own;
    return pair->seen >= EVENT_ENDS_SEEN ? make(ends, pair, plan, shape, t) : NULL;
}
