// SPDX-License-Identifier: Apache-2.0
#include "summary/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/cursor.h"
#include "base/json.h"
#include "summary/cardinality.h"
#include "summary/topn.h"

/* ---- Blocks --------------------------------------------------------------------------------- */

static void *metric_at(const struct metric *m, void *block)
{
    return (uint8_t *)block + m->offset;
}

static const void *metric_in(const struct metric *m, const void *block)
{
    return (const uint8_t *)block + m->offset;
}

/* How many uint64_t a metric of numbers has; 0 for sketches. */
static unsigned metric_numbers(const struct metric *m)
{
    switch (m->kind) {
    case METRIC_COUNTER:
    case METRIC_GAUGE:
        return 1;
    case METRIC_LABELLED:
        return m->label_count;
    default:
        return 0;
    }
}

void metric_block_reset(const struct metric_set *set, void *block)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        if (m->kind == METRIC_CARDINALITY) {
            cardinality_reset(metric_at(m, block));
        } else if (m->kind == METRIC_TOPN) {
            topn_reset(metric_at(m, block));
        } else {
            memset(metric_at(m, block), 0, metric_numbers(m) * sizeof(uint64_t));
        }
    }
    if (set->init != NULL) {
        set->init(block);
    }
}

void metric_block_merge(const struct metric_set *set, void *into, const void *from)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        if (m->kind == METRIC_CARDINALITY) {
            cardinality_merge(metric_at(m, into), metric_in(m, from));
        } else if (m->kind == METRIC_TOPN) {
            topn_merge(metric_at(m, into), metric_in(m, from));
        } else {
            uint64_t *sums = metric_at(m, into);
            const uint64_t *more = metric_in(m, from);
            for (unsigned i = 0; i < metric_numbers(m); i++) {
                sums[i] += more[i];
            }
        }
    }
}

/* ---- Checks --------------------------------------------------------------------------------- */

static bool metric_name_fine(const char *name)
{
    return *name >= 'a' && *name <= 'z' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Where the block must reach to at least for this metric. */
static size_t metric_end(const struct metric *m)
{
    size_t size = m->kind == METRIC_CARDINALITY ? sizeof(struct cardinality)
                  : m->kind == METRIC_TOPN      ? sizeof(struct topn)
                                                : metric_numbers(m) * sizeof(uint64_t);
    return m->offset + size;
}

static bool metric_check(const struct metric_set *set, const struct metric *m, struct err *err)
{
    const char *wrong = NULL;
    if (!metric_name_fine(m->name)) {
        wrong = "has a name that is no Prometheus name";
    } else if (m->help == NULL || *m->help == '\0' || m->unit == NULL || m->group == NULL) {
        wrong = "lacks help, unit or group";
    } else if (metric_end(m) > set->size) {
        wrong = "lies beyond the block";
    } else if (m->offset % _Alignof(uint64_t) != 0) {
        wrong = "is not aligned";
    } else if (m->kind == METRIC_LABELLED && (m->label == NULL || m->label_value == NULL)) {
        wrong = "lacks its label";
    } else if (m->kind == METRIC_TOPN && (m->key == METRIC_KEY_NONE || set->init == NULL)) {
        wrong = "lacks the kind of its keys or init";
    }
    for (const struct metric *other = set->metrics; other != m && wrong == NULL; other++) {
        wrong = strcmp(other->name, m->name) == 0 ? "is there twice" : NULL;
    }
    return wrong == NULL ||
           err_set(err, ERR_FAILED, "metric %s of %s %s", m->name, set->name, wrong);
}

bool metric_set_check(const struct metric_set *set, struct err *err)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        if (!metric_check(set, m, err)) {
            return false;
        }
    }
    return true;
}

/* ---- Keys ----------------------------------------------------------------------------------- */

enum { KEY_ADDRESS_SIZE = 17 };

static char *metric_write_address(char *to, struct span key)
{
    bool whole = key.size >= KEY_ADDRESS_SIZE;
    return address_write(to, whole ? key.data[0] : 0, whole ? key.data + 1 : NULL);
}

static char *metric_write_port(char *to, struct span key)
{
    uint16_t port = 0;
    if (key.size >= 1 + sizeof port) {
        memcpy(&port, key.data + 1, sizeof port);
    }
    unsigned protocol = key.size > 0 ? key.data[0] : 0;
    const char *name = protocol == 6     ? "tcp"
                       : protocol == 17  ? "udp"
                       : protocol == 33  ? "dccp"
                       : protocol == 132 ? "sctp"
                       : protocol == 136 ? "udplite"
                                         : NULL;
    to = json_digits(to, port);
    *to++ = '/';
    if (name == NULL) {
        return json_digits(to, protocol);
    }
    return stpcpy(to, name);
}

static char *metric_write_text(char *to, struct span key)
{
    while (key.size > 0 && key.data[key.size - 1] == 0) {
        key.size--;
    }
    while (key.size > 0) {
        uint8_t c = key.data[0];
        unsigned length = json_utf8(key);
        if (length == 0 || c < 0x20 || c == 0x7f) {
            static const char hex[] = "0123456789abcdef";
            to = stpcpy(to, "\\x");
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
            length = 1;
        } else if (c == '\\') {
            to = stpcpy(to, "\\\\");
        } else {
            to = mempcpy(to, key.data, length);
        }
        key = span_skip(key, length);
    }
    return to;
}

/* Writes the key's text, at most METRIC_KEY_ROOM - 1 bytes, and returns the end. */
static char *metric_write_key(char *to, enum metric_key kind, struct span key)
{
    key = span_head(key, TOPN_KEY_MAX);
    switch (kind) {
    case METRIC_KEY_ADDRESS:
        return metric_write_address(to, key);
    case METRIC_KEY_PAIR:
        to = metric_write_address(to, key);
        to = stpcpy(to, " > ");
        return metric_write_address(to, span_skip(key, KEY_ADDRESS_SIZE));
    case METRIC_KEY_PORT:
        return metric_write_port(to, key);
    case METRIC_KEY_TEXT:
        return metric_write_text(to, key);
    default:
        return to;
    }
}

_Static_assert(METRIC_KEY_ROOM > 4 * TOPN_KEY_MAX, "an escape is four bytes for one");

void metric_key_text(enum metric_key kind, struct span key, char *to, size_t size)
{
    char text[METRIC_KEY_ROOM];
    *metric_write_key(text, kind, key) = '\0';
    snprintf(to, size, "%s", text);
}

/* ---- Top-Ns --------------------------------------------------------------------------------- */

/* The heaviest items in memory of the caller to free; sets `failed` when there is none. */
static const struct topn_item **metric_top(const struct topn *t, unsigned limit, uint32_t *count,
                                           struct json *to)
{
    uint32_t max = limit < t->count ? limit : t->count;
    const struct topn_item **top = calloc(max + 1, sizeof *top);
    to->failed |= top == NULL;
    *count = top != NULL ? topn_top(t, top, max) : 0;
    return top;
}

static void metric_json_top(const struct metric *m, const struct topn *t, unsigned limit,
                            struct json *to)
{
    uint32_t count;
    const struct topn_item **top = metric_top(t, limit, &count, to);
    json_array_begin(to);
    for (uint32_t i = 0; i < count; i++) {
        char text[METRIC_KEY_ROOM];
        metric_key_text(m->key, span_of(top[i]->key, t->key_size), text, sizeof text);
        json_object_begin(to);
        json_key(to, "key");
        json_text(to, text);
        json_key(to, "weight");
        json_u64(to, top[i]->weight);
        if (top[i]->error > 0) {
            json_key(to, "error");
            json_u64(to, top[i]->error);
        }
        for (unsigned k = 0; m->extras != NULL && k < TOPN_EXTRAS && m->extras[k] != NULL; k++) {
            json_key(to, m->extras[k]);
            json_u64(to, top[i]->extra[k]);
        }
        json_object_end(to);
    }
    json_array_end(to);
    free(top);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void metric_json_labelled(const struct metric *m, const uint64_t *counts, struct json *to)
{
    json_object_begin(to);
    for (unsigned i = 0; i < m->label_count; i++) {
        const char *value = m->label_value(i);
        if (value != NULL) {
            json_key(to, value);
            json_u64(to, counts[i]);
        }
    }
    json_object_end(to);
}

static uint64_t metric_distinct(const struct cardinality *c)
{
    return (uint64_t)llround(cardinality_estimate(c));
}

void metric_block_json(const struct metric_set *set, const void *block, unsigned limit,
                       struct json *to)
{
    json_object_begin(to);
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        const void *at = metric_in(m, block);
        json_key(to, m->name);
        switch (m->kind) {
        case METRIC_COUNTER:
        case METRIC_GAUGE:
            json_u64(to, *(const uint64_t *)at);
            break;
        case METRIC_CARDINALITY:
            json_u64(to, metric_distinct(at));
            break;
        case METRIC_TOPN:
            metric_json_top(m, at, limit, to);
            break;
        case METRIC_LABELLED:
            metric_json_labelled(m, at, to);
            break;
        }
    }
    json_object_end(to);
}

/* ---- Prometheus ----------------------------------------------------------------------------- */

/* A family of samples being written: its full name, and to where. */
struct metric_family {
    char name[256];
    struct json *to;
};

/* Whether `word` is one of the words of `name`, which '_' parts. */
static bool metric_has_word(const char *name, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = name; at != NULL; at = strchr(at, '_')) {
        at += *at == '_';
        if (strncmp(at, word, size) == 0 && (at[size] == '_' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Text with the characters of `special` and newlines escaped by a backslash, and bytes that are
 * not UTF-8 as U+FFFD: both the format and its parsers want UTF-8. */
static void metric_escaped(struct json *to, const char *text, const char *special)
{
    struct span s = span_str(text);
    while (s.size > 0) {
        unsigned length = json_utf8(s);
        if (length == 0) {
            json_append(to, "\xef\xbf\xbd", 3);
            length = 1;
        } else if (s.data[0] == '\n') {
            json_append(to, "\\n", 2);
        } else {
            if (strchr(special, s.data[0]) != NULL) {
                json_append(to, "\\", 1);
            }
            json_append(to, s.data, length);
        }
        s = span_skip(s, length);
    }
}

/* Begins a family; `part` names an extra, or is NULL for the metric itself and its unit. */
static struct metric_family metric_family(const struct metric_set *set, const struct metric *m,
                                          const char *part, const char *prefix, struct json *to)
{
    struct metric_family f = {.to = to};
    bool counter = m->kind == METRIC_COUNTER || m->kind == METRIC_LABELLED;
    if (part == NULL && m->unit != NULL && !metric_has_word(m->name, m->unit)) {
        part = m->unit;
    }
    bool parted = part != NULL && *part != '\0';
    snprintf(f.name, sizeof f.name, "%s_%s_%s%s%s%s", prefix, set->name, m->name, parted ? "_" : "",
             parted ? part : "", counter ? "_total" : "");
    json_printf(to, "# HELP %s ", f.name);
    metric_escaped(to, m->help, "\\");
    json_printf(to, "\n# TYPE %s %s\n", f.name, counter ? "counter" : "gauge");
    return f;
}

static void metric_sample(const struct metric_family *f, const char *label, const char *value,
                          uint64_t number)
{
    json_append(f->to, f->name, strlen(f->name));
    if (label != NULL) {
        json_printf(f->to, "{%s=\"", label);
        metric_escaped(f->to, value, "\\\"");
        json_append(f->to, "\"}", 2);
    }
    json_printf(f->to, " %llu\n", (unsigned long long)number);
}

static const char *metric_key_label(const struct metric *m)
{
    static const char *const labels[] = {
        [METRIC_KEY_NONE] = "key",  [METRIC_KEY_ADDRESS] = "address", [METRIC_KEY_PAIR] = "pair",
        [METRIC_KEY_PORT] = "port", [METRIC_KEY_TEXT] = "name",
    };
    return m->label != NULL ? m->label : labels[m->key];
}

/* One family for the weight and one for each extra: samples of a family stand together. */
static void metric_prometheus_top(const struct metric_set *set, const struct metric *m,
                                  const struct topn *t, unsigned limit, const char *prefix,
                                  struct json *to)
{
    uint32_t count;
    const struct topn_item **top = metric_top(t, limit, &count, to);
    for (int k = -1; k < TOPN_EXTRAS; k++) {
        const char *part = k < 0 ? NULL : m->extras != NULL ? m->extras[k] : NULL;
        if (k >= 0 && part == NULL) {
            break;
        }
        struct metric_family f = metric_family(set, m, part, prefix, to);
        for (uint32_t i = 0; i < count; i++) {
            char text[METRIC_KEY_ROOM];
            metric_key_text(m->key, span_of(top[i]->key, t->key_size), text, sizeof text);
            metric_sample(&f, metric_key_label(m), text, k < 0 ? top[i]->weight : top[i]->extra[k]);
        }
    }
    free(top);
}

static void metric_prometheus_labelled(const struct metric_family *f, const struct metric *m,
                                       const uint64_t *counts)
{
    for (unsigned i = 0; i < m->label_count; i++) {
        const char *value = m->label_value(i);
        if (value != NULL) {
            metric_sample(f, m->label, value, counts[i]);
        }
    }
}

void metric_block_prometheus(const struct metric_set *set, const void *block, unsigned limit,
                             const char *prefix, struct json *to)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        const void *at = metric_in(m, block);
        if (m->kind == METRIC_TOPN) {
            metric_prometheus_top(set, m, at, limit, prefix, to);
            continue;
        }
        struct metric_family f = metric_family(set, m, NULL, prefix, to);
        if (m->kind == METRIC_LABELLED) {
            metric_prometheus_labelled(&f, m, at);
        } else {
            bool distinct = m->kind == METRIC_CARDINALITY;
            metric_sample(&f, NULL, NULL, distinct ? metric_distinct(at) : *(const uint64_t *)at);
        }
    }
}
