// SPDX-License-Identifier: Apache-2.0
/* Processors of times: what a text says is read as one, now is noted, durations become numbers, and too
 * many events in a time are let go. */
#include "event/processor_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/text.h"
#include "event/layout.h"

enum { SECOND = 1000000000, MILLISECOND = 1000000, TIME_LEAST = 20 /* 2026-11-20T23:58:49Z */ };

/* With as many digits of the second as the event's own time has. */
static void put_time(struct processor_event *e, struct span field, int64_t nanoseconds)
{
    char text[TEXT_TIME_ROOM];
    const struct node *own = processor_get(e, span_str("@timestamp"));
    size_t size = own != NULL ? own->text.size : 0;
    int digits = size > TIME_LEAST + 1 ? (int)(size - TIME_LEAST - 1) : 3;
    uint64_t since = nanoseconds > 0 ? (uint64_t)nanoseconds : 0;
    size = text_rfc3339(text, since, digits < 9 ? digits : 9);
    processor_put_text(e, field, node_copy(e->tree, span_of(text, size)));
}

/* ---- timestamp ---------------------------------------------------------------------------------- */

struct stamp {
    struct span field;
    struct span target;
    const struct node *layouts;
    struct layout_zone zone;
    bool ignore_missing;
    bool ignore_failure;
};

static bool stamp_parse(const struct stamp *s, struct span text, int64_t *ret)
{
    for (const struct node *layout = s->layouts->first; layout != NULL; layout = layout->next) {
        if (layout_parse(layout->text, text, s->zone, ret)) {
            return true;
        }
    }
    return false;
}

/* Texts that a user gives to see that the layouts read them. */
static bool check_samples(struct processor_making *m, const struct stamp *s)
{
    const struct node *list = processor_option(m, "test");
    int64_t time;
    for (const struct node *item = list != NULL ? list->first : NULL; item != NULL; item = item->next) {
        if (!stamp_parse(s, item->text, &time)) {
            return condition_refuse(item, m->err, "timestamp: no layout reads the test '%.*s'",
                                    (int)item->text.size, item->text.data);
        }
    }
    return true;
}

static void *make_timestamp(struct processor_making *m)
{
    struct stamp *s = node_allocate(m->tree, sizeof *s);
    struct span zone = processor_text(m, "timezone", "UTC");
    s->field = processor_text(m, "field", NULL);
    s->target = processor_text(m, "target_field", "@timestamp");
    s->layouts = processor_list(m, "layouts");
    s->ignore_missing = processor_flag(m, "ignore_missing", false);
    s->ignore_failure = processor_flag(m, "ignore_failure", false);
    (void)processor_text(m, "id", NULL);
    if (s->layouts == NULL || s->field.size == 0) {
        condition_refuse(m->options, m->err, "timestamp needs 'field' and 'layouts'");
        return NULL;
    }
    if (!layout_zone_read(zone, m->tree, &s->zone)) {
        condition_refuse(processor_option(m, "timezone"), m->err,
                         "timezone '%.*s' is not UTC, Local, an offset such as +02:00, or one of this "
                         "system's time zones, such as Europe/Berlin (package tzdata)",
                         (int)zone.size, zone.data);
        return NULL;
    }
    return check_samples(m, s) ? s : NULL;
}

/* The event says nothing of a failure, as with Elastic's: its time is another one then. */
static void set_timestamp(const void *state, struct processor_event *e)
{
    const struct stamp *s = state;
    const struct node *node = processor_get(e, s->field);
    int64_t time;
    if (node == NULL) {
        e->has_failed = !s->ignore_missing && !s->ignore_failure;
    } else if (node_is_scalar(node) && stamp_parse(s, node->text, &time)) {
        put_time(e, s->target, time);
    } else {
        e->has_failed = !s->ignore_failure;
    }
}

/* ---- now ----------------------------------------------------------------------------------------- */

struct moment {
    struct span field;
};

static void *make_now(struct processor_making *m)
{
    struct moment *moment = node_allocate(m->tree, sizeof *moment);
    moment->field = processor_text(m, "field", NULL);
    if (moment->field.size == 0) {
        condition_refuse(m->options, m->err, "now needs 'field'");
        return NULL;
    }
    return moment;
}

static void set_now(const void *state, struct processor_event *e)
{
    const struct moment *moment = state;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    put_time(e, moment->field, now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
}

/* ---- decode_duration ----------------------------------------------------------------------------- */

struct duration {
    struct span field;
    double unit; /* ns */
};

static void *make_duration(struct processor_making *m)
{
    static const struct {
        const char *name;
        double unit;
    } units[] = {{"milliseconds", 1e6}, {"seconds", 1e9}, {"minutes", 60e9}, {"hours", 3600e9}};
    struct duration *d = node_allocate(m->tree, sizeof *d);
    struct span format = processor_text(m, "format", units[0].name);
    d->field = processor_text(m, "field", NULL);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (span_equal(format, span_str(units[i].name))) {
            d->unit = units[i].unit;
        }
    }
    if (d->field.size == 0 || d->unit == 0) {
        condition_refuse(m->options, m->err, "decode_duration needs 'field'; format is milliseconds, "
                                             "seconds, minutes or hours");
        return NULL;
    }
    return d;
}

static void decode_duration(const void *state, struct processor_event *e)
{
    const struct duration *d = state;
    struct node *node = processor_get(e, d->field);
    char text[TEXT_ROOM] = "";
    int64_t value;
    if (node == NULL) {
        return;
    }
    if (node->kind == NODE_TEXT && node->text.size < sizeof text) {
        memcpy(text, node->text.data, node->text.size);
    }
    if (!text_parse_duration(text, &value)) {
        return; /* what is no duration stays what it is */
    }
    node_become(node, NODE_NUMBER, node_format(e->tree, "%.15g", (double)value / d->unit));
}

/* ---- rate_limit ---------------------------------------------------------------------------------- */

enum { BUCKETS = 4096, LIMIT_FIELDS = 16 };

/* A bucket of tokens: an event takes one, time brings new ones. Who shares a bucket by the chance of a
 * hash shares its limit. */
struct bucket {
    uint64_t owner; /* hash of the fields' values; 0: nobody yet */
    int64_t at_ns;  /* when its tokens were counted */
    double tokens;
};

struct rate {
    double count_allowed; /* in a unit of time */
    double per_second;
    double depth; /* tokens at most */
    size_t count;
    struct span fields[LIMIT_FIELDS];
    struct bucket *buckets; /* the heap's */
};

/* "1000/m": events per s, m or h. */
static bool read_limit(struct span text, struct rate *ret)
{
    char number[TEXT_ROOM] = "";
    const uint8_t *slash = text.size > 0 ? memchr(text.data, '/', text.size) : NULL;
    size_t size = slash != NULL ? (size_t)(slash - text.data) : 0;
    if (slash == NULL || size >= sizeof number || text.size != size + 2) {
        return false;
    }
    memcpy(number, text.data, size);
    char *end;
    double count = strtod(number, &end);
    double seconds = slash[1] == 's' ? 1 : slash[1] == 'm' ? 60 : slash[1] == 'h' ? 3600 : 0;
    ret->count_allowed = count;
    ret->per_second = seconds > 0 ? count / seconds : 0;
    return *end == '\0' && ret->per_second > 0 && ret->per_second < 1e12;
}

static double read_burst(struct processor_making *m)
{
    const struct node *algorithm = processor_option(m, "algorithm");
    const struct node *bucket = node_member(algorithm, span_str("token_bucket"));
    const struct node *burst = node_member(bucket, span_str("burst_multiplier"));
    char text[TEXT_ROOM] = "1";
    if (algorithm != NULL && bucket == NULL) {
        condition_refuse(algorithm, m->err, "rate_limit: the algorithm is token_bucket");
    }
    if (burst != NULL && burst->text.size < sizeof text) {
        memcpy(text, burst->text.data, burst->text.size);
        text[burst->text.size] = '\0';
    }
    double value = strtod(text, NULL);
    if (!(value >= 1 && value < 1e9)) {
        condition_refuse(burst, m->err, "burst_multiplier is a number, 1 or more");
    }
    return value;
}

static bool read_fields(struct processor_making *m, struct rate *rate)
{
    const struct node *list = processor_option(m, "fields");
    for (const struct node *item = list != NULL ? list->first : NULL; item != NULL; item = item->next) {
        if (!node_is_scalar(item) || rate->count == LIMIT_FIELDS) {
            return condition_refuse(item, m->err, "fields are names, at most %d", LIMIT_FIELDS);
        }
        rate->fields[rate->count++] = item->text;
    }
    return true;
}

static void *make_rate(struct processor_making *m)
{
    struct rate *rate = node_allocate(m->tree, sizeof *rate);
    struct span limit = processor_text(m, "limit", NULL);
    if (!read_limit(limit, rate)) {
        condition_refuse(m->options, m->err, "rate_limit needs a 'limit' as 10/s, 600/m or 36000/h");
        return NULL;
    }
    rate->depth = rate->count_allowed * read_burst(m);
    rate->depth = rate->depth < 1 ? 1 : rate->depth;
    if (!read_fields(m, rate) || m->err->code != ERR_NONE) {
        return NULL;
    }
    rate->buckets = calloc(BUCKETS, sizeof *rate->buckets);
    if (rate->buckets == NULL) {
        abort();
    }
    return rate;
}

static void rate_done(void *state)
{
    free(((struct rate *)state)->buckets);
}

static uint64_t owner_of(const struct rate *rate, const struct processor_event *e)
{
    uint64_t hash = 1;
    for (size_t i = 0; i < rate->count; i++) {
        const struct node *node = processor_get(e, rate->fields[i]);
        bool is_there = node != NULL && node_is_scalar(node);
        hash = hash64(is_there ? (const char *)node->text.data : "", is_there ? node->text.size : 0,
                      hash + 1);
    }
    return hash != 0 ? hash : 1;
}

/* By the events' own times, so that a capture gives the same however fast it is read. */
static void limit_rate(const void *state, struct processor_event *e)
{
    const struct rate *rate = state;
    const struct node *node = processor_get(e, span_str("@timestamp"));
    static const char rfc3339[] = "2006-01-02T15:04:05Z07:00";
    int64_t now;
    if (node == NULL || !layout_parse(span_str(rfc3339), node->text, (struct layout_zone){0}, &now)) {
        return;
    }
    uint64_t owner = owner_of(rate, e);
    struct bucket *bucket = &rate->buckets[owner % BUCKETS];
    if (bucket->owner != owner) {
        *bucket = (struct bucket){.owner = owner, .at_ns = now, .tokens = rate->depth};
    }
    if (now > bucket->at_ns) {
        bucket->tokens += (double)(now - bucket->at_ns) / SECOND * rate->per_second;
        bucket->tokens = bucket->tokens > rate->depth ? rate->depth : bucket->tokens;
        bucket->at_ns = now;
    }
    e->is_dropped = bucket->tokens < 1;
    bucket->tokens -= !e->is_dropped;
}

const struct processor_kind processor_time_kinds[] = {
    {"timestamp", make_timestamp, set_timestamp},
    {"now", make_now, set_now},
    {"decode_duration", make_duration, decode_duration},
    {"rate_limit", make_rate, limit_rate, rate_done},
    {0},
};
