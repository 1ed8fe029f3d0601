// SPDX-License-Identifier: Apache-2.0
#include "summary/metric.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "summary/metric_view.h"
#include "summary/topn.h"

/* A family of samples being written: its full name, and to where. */
struct metric_family {
    char name[METRIC_NAME_ROOM];
    struct json *to;
};

/* Text with the characters of `special` and newlines escaped by a backslash, and bytes that are
 * not UTF-8 as U+FFFD: both the format and its parsers want UTF-8. */
static void metric_escaped(struct json *to, struct span text, const char *special)
{
    while (text.size > 0) {
        unsigned length = json_utf8(text);
        if (length == 0) {
            json_append(to, "\xef\xbf\xbd", 3);
            length = 1;
        } else if (text.data[0] == '\n') {
            json_append(to, "\\n", 2);
        } else {
            if (text.data[0] != '\0' && strchr(special, text.data[0]) != NULL) {
                json_append(to, "\\", 1);
            }
            json_append(to, text.data, length);
        }
        text = span_skip(text, length);
    }
}

static const char *metric_type(const struct metric *m)
{
    switch (m->kind) {
    case METRIC_COUNTER:
    case METRIC_LABELLED:
        return "counter";
    case METRIC_QUANTILES:
    case METRIC_RATE:
        return "summary";
    case METRIC_HISTOGRAM:
    case METRIC_VIEW:
        return "histogram";
    default:
        return "gauge";
    }
}

/* Begins a family; `part` names an extra, or is NULL for the metric itself and its unit. */
static struct metric_family metric_family(const struct metric_set *set, const struct metric *m,
                                          const char *part, const char *prefix, struct json *to)
{
    struct metric_family f = {.to = to};
    metric_full_name(set, m, part, prefix, f.name);
    json_printf(to, "# HELP %s ", f.name);
    metric_escaped(to, span_str(m->help), "\\");
    json_printf(to, "\n# TYPE %s %s\n", f.name, metric_type(m));
    return f;
}

/* A sample's name, with a suffix, and its label, if there is one; the number is to follow. */
static void metric_sample_head(const struct metric_family *f, const char *suffix,
                               const char *label, struct span value)
{
    json_append(f->to, f->name, strlen(f->name));
    json_append(f->to, suffix, strlen(suffix));
    if (label != NULL) {
        json_printf(f->to, "{%s=\"", label);
        metric_escaped(f->to, value, "\\\"");
        json_append(f->to, "\"}", 2);
    }
}

static void metric_sample(const struct metric_family *f, const char *label, const char *value,
                          uint64_t number)
{
    metric_sample_head(f, "", label, label != NULL ? span_str(value) : span_of(NULL, 0));
    json_printf(f->to, " %llu\n", (unsigned long long)number);
}

static void metric_sample_double(const struct metric_family *f, const char *suffix,
                                 const char *label, const char *value, double number)
{
    char text[METRIC_NUMBER_ROOM];
    metric_sample_head(f, suffix, label, label != NULL ? span_str(value) : span_of(NULL, 0));
    metric_number_text(number, text);
    json_printf(f->to, " %s\n", text);
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
            metric_key_text(m->key, topn_key(t, top[i]), text, sizeof text);
            metric_sample(&f, metric_label(m), text, k < 0 ? top[i]->weight : topn_extras(t, top[i])[k]);
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

/* What a summary and a histogram end with. */
static void metric_prometheus_sum(const struct metric_family *f, const struct metric_spread *s)
{
    metric_sample_double(f, "_sum", NULL, NULL, s->sum);
    metric_sample_head(f, "_count", NULL, span_of(NULL, 0));
    json_printf(f->to, " %llu\n", (unsigned long long)s->count);
}

static void metric_prometheus_summary(const struct metric_family *f, const struct metric *m,
                                      const void *at)
{
    struct metric_spread s = metric_spread(m, at);
    for (int i = 0; i < METRIC_RANKS; i++) {
        metric_sample_double(f, "", "quantile", metric_ranks[i].quantile, s.values[i]);
    }
    metric_prometheus_sum(f, &s);
}

static void metric_prometheus_bucket(const struct metric_family *f, const char *bound,
                                     uint64_t count)
{
    metric_sample_head(f, "_bucket", "le", span_str(bound));
    json_printf(f->to, " %llu\n", (unsigned long long)count);
}

static void metric_prometheus_histogram(const struct metric_family *f, const struct metric *m,
                                        const void *at)
{
    struct metric_spread s = metric_histogram(m, at);
    for (uint32_t i = 0; i < metric_bound_count(m); i++) {
        char bound[METRIC_NUMBER_ROOM];
        metric_number_text(metric_bound(m, i), bound);
        metric_prometheus_bucket(f, bound, metric_up_to(m, at, i));
    }
    metric_prometheus_bucket(f, "+Inf", s.count);
    metric_prometheus_sum(f, &s);
}

static void metric_prometheus_info(const struct metric_family *f, const struct metric *m,
                                   const void *at)
{
    struct span text = metric_text(m, at);
    if (text.size > 0) {
        metric_sample_head(f, "", metric_label(m), text);
        json_append(f->to, " 1\n", 3);
    }
}

/* The samples of every kind but top-Ns, which have more than one family. */
static void metric_prometheus_samples(const struct metric_family *f, const struct metric *m,
                                      const void *at)
{
    switch (m->kind) {
    case METRIC_LABELLED:
        metric_prometheus_labelled(f, m, at);
        break;
    case METRIC_QUANTILES:
    case METRIC_RATE:
        metric_prometheus_summary(f, m, at);
        break;
    case METRIC_HISTOGRAM:
    case METRIC_VIEW:
        metric_prometheus_histogram(f, m, at);
        break;
    case METRIC_INFO:
        metric_prometheus_info(f, m, at);
        break;
    case METRIC_CARDINALITY:
        metric_sample(f, NULL, NULL, metric_distinct(at));
        break;
    default:
        metric_sample(f, NULL, NULL, *(const uint64_t *)at);
        break;
    }
}

void metric_block_prometheus(const struct metric_set *set, const void *block, unsigned limit,
                             const char *prefix, struct json *to)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        const void *at = metric_in(m, block);
        if (m->kind == METRIC_TOPN) {
            metric_prometheus_top(set, m, at, limit, prefix, to);
        } else {
            struct metric_family f = metric_family(set, m, NULL, prefix, to);
            metric_prometheus_samples(&f, m, at);
        }
    }
}
