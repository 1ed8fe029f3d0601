// SPDX-License-Identifier: Apache-2.0
#include "policy/netflow_template.h"

#include <stdlib.h>

#include "base/hash.h"

#define LIFE_NS (UINT64_C(5400) * 1000000000) /* three times the usual pause between two of them */

enum { WAYS = 8, NEIGHBOURHOODS = 256, SAMPLERS = 1024, FIRST_ID = 256 };
enum { VERSION_IPFIX = 10, ENTERPRISE = 0x8000 };

struct sampler {
    struct netflow_speaker speaker;
    uint64_t number;
    uint64_t time_ns;
    uint32_t rate; /* 0: a free place */
};

struct netflow_templates {
    struct netflow_template all[NEIGHBOURHOODS][WAYS];
    struct sampler samplers[SAMPLERS / WAYS][WAYS];
};

/* Elements that records are made of (netflow.c); others are stepped over. */
static bool is_read(uint16_t element)
{
    static const uint16_t read[] = {1,  2,  4,  5,  7,   8,   10,  11,  12,  14,  23,  24,
                                    27, 28, 34, 48, 50,  85,  86,  180, 181, 182, 183, 302,
                                    305, 306, 352};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) {
        if (read[i] == element) {
            return true;
        }
    }
    return false;
}

struct netflow_templates *netflow_templates_new(void)
{
    return calloc(1, sizeof(struct netflow_templates));
}

void netflow_templates_free(struct netflow_templates *templates)
{
    free(templates);
}

/* ---- Places --------------------------------------------------------------------------------- */

static bool is_same(const struct netflow_speaker *a, const struct netflow_speaker *b)
{
    return a->version == b->version && a->port == b->port && a->domain == b->domain &&
           memcmp(&a->exporter, &b->exporter, sizeof a->exporter) == 0;
}

static uint64_t place_of(const struct netflow_speaker *s, uint64_t number)
{
    uint64_t words[2] = {(uint64_t)s->version << 48 | (uint64_t)s->port << 32 | s->domain, number};
    return hash64(words, sizeof words, hash64(&s->exporter, sizeof s->exporter, hash_seed()));
}

static bool is_alive(uint64_t then, uint64_t now)
{
    return then + LIFE_NS >= now;
}

static struct netflow_template *find(struct netflow_templates *t, const struct netflow_speaker *s,
                                     uint16_t id)
{
    struct netflow_template *near = t->all[place_of(s, id) % NEIGHBOURHOODS];
    for (unsigned i = 0; i < WAYS; i++) {
        if (near[i].id == id && is_same(&near[i].speaker, s)) {
            return &near[i];
        }
    }
    return NULL;
}

/* Its own place, a free one, or that of the oldest. */
static struct netflow_template *take(struct netflow_templates *t, const struct netflow_speaker *s,
                                     uint16_t id)
{
    struct netflow_template *near = t->all[place_of(s, id) % NEIGHBOURHOODS];
    struct netflow_template *own = find(t, s, id), *oldest = near;
    for (unsigned i = 0; i < WAYS && own == NULL; i++) {
        own = near[i].id == 0 ? &near[i] : NULL;
        oldest = near[i].time_ns < oldest->time_ns ? &near[i] : oldest;
    }
    return own != NULL ? own : oldest;
}

const struct netflow_template *netflow_templates_find(struct netflow_templates *templates,
                                                      const struct netflow_speaker *speaker,
                                                      uint16_t id, uint64_t time_ns)
{
    const struct netflow_template *ret = find(templates, speaker, id);
    return ret != NULL && is_alive(ret->time_ns, time_ns) ? ret : NULL;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static bool add_field(struct netflow_template *t, uint16_t element, uint16_t size)
{
    struct netflow_field *last = t->count > 0 ? &t->fields[t->count - 1] : NULL;
    bool is_known = is_read(element);
    t->least += size == NETFLOW_VARIABLE ? 1 : size;
    if (!is_known && size != NETFLOW_VARIABLE && last != NULL && last->element == 0 &&
        last->size != NETFLOW_VARIABLE && last->size + size < NETFLOW_VARIABLE) {
        last->size = (uint16_t)(last->size + size);
        return true;
    }
    if (t->count == NETFLOW_FIELDS) {
        return false;
    }
    t->fields[t->count++] = (struct netflow_field){is_known ? element : 0, size};
    return true;
}

/* Fields of a template; those of enterprises are stepped over. */
static bool read_fields(struct cursor *c, struct netflow_template *t, uint32_t count)
{
    bool fits = true;
    for (uint32_t i = 0; i < count && !c->bad; i++) {
        uint16_t element = cursor_be16(c), size = cursor_be16(c);
        if (t->speaker.version == VERSION_IPFIX && (element & ENTERPRISE)) {
            cursor_skip(c, 4);
            element = 0;
        }
        fits = fits && (t->speaker.version == VERSION_IPFIX || size != NETFLOW_VARIABLE) &&
               add_field(t, element, size);
    }
    return !c->bad && fits && t->least > 0;
}

/* NetFlow 9 says how many bytes scope and options take; what a scope is, nobody asks. */
static bool read_options_9(struct cursor *c, struct netflow_template *t)
{
    uint16_t scope = cursor_be16(c), options = cursor_be16(c);
    bool fits = true;
    for (uint16_t i = 0; i < scope / 4 && !c->bad; i++) {
        cursor_skip(c, 2);
        fits = add_field(t, 0, cursor_be16(c)) && fits;
    }
    return read_fields(c, t, options / 4u) && fits;
}

static bool read_one(struct cursor *c, struct netflow_template *t)
{
    t->id = cursor_be16(c);
    if (t->is_options && t->speaker.version != VERSION_IPFIX) {
        return read_options_9(c, t);
    }
    uint16_t count = cursor_be16(c);
    if (t->is_options && count > 0) {
        cursor_skip(c, 2); /* how many of them are the scope */
    }
    return count == 0 || read_fields(c, t, count); /* none: it is withdrawn (RFC 7011 §8.1) */
}

bool netflow_templates_read(struct netflow_templates *templates,
                            const struct netflow_speaker *speaker, struct span set,
                            bool is_options, uint64_t time_ns)
{
    struct cursor c = cursor_of(set);
    while (cursor_left(&c) >= 4 && !c.bad) {
        struct netflow_template one = {
            .speaker = *speaker, .is_options = is_options, .time_ns = time_ns};
        bool is_sound = read_one(&c, &one);
        if (one.id == 0) {
            return true; /* padding */
        }
        if (one.id < FIRST_ID || !is_sound) {
            return false;
        }
        struct netflow_template *to = one.count > 0 ? take(templates, speaker, one.id)
                                                    : find(templates, speaker, one.id);
        if (to != NULL) {
            *to = one.count > 0 ? one : (struct netflow_template){0};
        }
    }
    return !c.bad;
}

/* ---- Sampling ------------------------------------------------------------------------------- */

void netflow_templates_sample(struct netflow_templates *templates,
                              const struct netflow_speaker *speaker, uint64_t sampler,
                              uint32_t rate, uint64_t time_ns)
{
    struct sampler *near = templates->samplers[place_of(speaker, sampler) % (SAMPLERS / WAYS)];
    struct sampler *to = &near[0];
    for (unsigned i = 0; i < WAYS; i++) {
        if (near[i].rate != 0 && near[i].number == sampler && is_same(&near[i].speaker, speaker)) {
            to = &near[i];
            break;
        }
        to = near[i].rate == 0 || (to->rate != 0 && near[i].time_ns < to->time_ns) ? &near[i] : to;
    }
    *to = (struct sampler){*speaker, sampler, time_ns, rate};
}

uint32_t netflow_templates_rate(struct netflow_templates *templates,
                                const struct netflow_speaker *speaker, uint64_t sampler,
                                uint64_t time_ns)
{
    const struct sampler *near =
        templates->samplers[place_of(speaker, sampler) % (SAMPLERS / WAYS)];
    for (unsigned i = 0; i < WAYS; i++) {
        if (near[i].rate != 0 && near[i].number == sampler && is_same(&near[i].speaker, speaker) &&
            is_alive(near[i].time_ns, time_ns)) {
            return near[i].rate;
        }
    }
    return sampler != 0 ? netflow_templates_rate(templates, speaker, 0, time_ns) : 1;
}
