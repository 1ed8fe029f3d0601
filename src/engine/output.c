// SPDX-License-Identifier: Apache-2.0
#include "engine/output.h"

#include "base/json.h"
#include "base/log.h"
#include "base/node.h"
#include "base/slab.h"
#include "engine/health_desk.h"
#include "engine/health_flat.h"
#include "engine/index_template.h"
#include "engine/shaper.h"
#include "event/event_writer.h"
#include "event/pattern.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    OUTBOX_BYTES = 4 << 20,
    LINES_BYTES = 128 << 10, /* encoded before a sink is called */
    LINES_MOST = 8 << 20,    /* kept for the next ones */
    SINKS_MAX = 16,
    LOG_BYTES = 1 << 20,     /* of events that one call of a hook may make */
    LOG_LEAST = 64 << 10,    /* where drops are allowed */
    DRAIN_BYTES = 16 << 10,  /* of events that wait for their own thread: what fits in its cache */
    LARGE_BYTES = 32 << 20,  /* of large events that a file's worker is ahead */
    WAIT_NS = 50000,
};

struct open_sink {
    const struct sink_kind *kind;
    struct sink *sink;
    bool broken;
};

struct output {
    struct output_options options;
    struct outbox *outboxes;
    struct open_sink sinks[SINKS_MAX];
    uint32_t sink_count;
    bool takes_events; /* one of them does */
    struct nodes memory; /* of what sinks borrow */
    struct shaper *shaper; /* NULL: events go as they are encoded */
    struct event_writer *writer;
    struct json lines;
    bool is_direct; /* one thread makes events and writes them: their lines are put here as they are made */
    uint32_t line_count;
    struct err failure;
    /* read by any thread */
    pthread_mutex_t lock;
    struct health_desk *health; /* of TCP connections */
    struct flow_event *recent; /* ring */
    uint64_t recent_count;     /* ever */
};

/* ---- Sinks ---------------------------------------------------------------------------------- */

/* What the sink of an output is told of its cluster; a template for our own fields is made here. */
static struct sink_cluster *cluster_of(struct output *output, const struct config_output *wanted)
{
    struct sink_cluster *cluster = node_allocate(&output->memory, sizeof *cluster);
    *cluster = wanted->cluster;
    const char **texts[] = {&cluster->path, &cluster->template_name, &cluster->template_text,
                            &cluster->policy_name, &cluster->policy_text};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) { /* no key of ours, but a dialect's */
        *texts[i] = *texts[i] != NULL ? *texts[i] : "";
    }
    cluster->scheme = cluster->scheme != NULL ? cluster->scheme : "http://";
    if (!wanted->makes_template || pattern_varies(cluster->index)) {
        return cluster;
    }
    struct span pattern = node_format(&output->memory, "%s*", cluster->index);
    struct index_template options = {.pattern = (const char *)pattern.data, .beat = "vantage",
                                     .version = VANTAGE_VERSION};
    struct json text;
    json_init(&text);
    index_template_write(&text, &options);
    cluster->template_name = cluster->index;
    cluster->template_text =
        (const char *)node_copy(&output->memory, span_of(text.data, text.size)).data;
    json_done(&text);
    return cluster;
}

static void add_attribute(struct output *output, struct text_list *list, const char *name,
                          const char *value)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < list->count; i++) {
        if (strncmp(list->items[i], name, size) == 0 && list->items[i][size] == '=') {
            return; /* the user says it otherwise */
        }
    }
    struct span text = node_format(&output->memory, "%s=%s", name, value);
    list->items[list->count++] = (const char *)text.data;
}

/* Who speaks, by the semantic conventions of OpenTelemetry; remote write has labels for that. */
static const struct sink_push *push_of(struct output *output, const struct config_output *wanted)
{
    char host[256] = "";
    struct sink_push *push = node_allocate(&output->memory, sizeof *push);
    *push = wanted->push;
    if (strcmp(wanted->kind, "otlp") != 0) {
        return push;
    }
    size_t count = push->attributes.count;
    const char **items = node_allocate(&output->memory, (count + 3) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = wanted->push.attributes.items[i];
    }
    push->attributes.items = items;
    add_attribute(output, &push->attributes, "service.name", "vantage");
    add_attribute(output, &push->attributes, "service.version", VANTAGE_VERSION);
    if (gethostname(host, sizeof host - 1) == 0 && host[0] != '\0') {
        add_attribute(output, &push->attributes, "host.name", host);
    }
    return push;
}

static bool open_sinks(struct output *output, struct err *err)
{
    const struct config *config = output->options.config;
    output->takes_events = config->logs_events; /* also where nothing is published */
    for (size_t i = 0; i < config->output_count && i < SINKS_MAX; i++) {
        const struct config_output *wanted = &config->outputs[i];
        const struct sink_kind *kind = sink_kind_find(wanted->kind);
        if (kind == NULL) {
            return err_set(err, ERR_USAGE, "no such output: %s", wanted->kind);
        }
        struct sink_options options = {
            .path = wanted->path,
            .rotate_bytes = (uint64_t)wanted->rotate_size,
            .keep = (uint32_t)wanted->keep,
            .mode = (uint32_t)strtoul(wanted->permissions, NULL, 8),
            .rotate_on_start = wanted->rotate_on_start,
            .is_dated = wanted->is_dated,
            .makes_folder = wanted->makes_folder,
            .pretty = wanted->pretty,
            .escape_html = wanted->escape_html,
            .format = wanted->format,
            .cluster = cluster_of(output, wanted),
            .push = push_of(output, wanted),
            .waits = output->options.mode != OUTBOX_DROP,
        };
        struct sink *sink = kind->open(&options, err);
        if (sink == NULL) {
            return false;
        }
        output->sinks[output->sink_count++] = (struct open_sink){.kind = kind, .sink = sink};
        output->takes_events |= kind->write != NULL;
    }
    return true;
}

static void write_lines(struct output *output)
{
    struct span lines = span_of(output->lines.data, output->lines.size);
    for (uint32_t i = 0; i < output->sink_count && output->line_count > 0; i++) {
        struct open_sink *s = &output->sinks[i];
        if (!s->broken && s->kind->write != NULL) {
            s->broken = !s->kind->write(s->sink, lines, output->line_count, &output->failure);
        }
    }
    json_reset(&output->lines);
    output->line_count = 0;
    if (output->lines.capacity > LINES_MOST) { /* a large event has gone: its memory, too */
        json_done(&output->lines);
        json_init(&output->lines);
        output->is_direct = json_reserve(&output->lines, LINES_BYTES + LOG_BYTES) != NULL &&
                            output->is_direct;
    }
}

/* So many lines more have been put there. */
static void count_lines(struct output *output, uint32_t more)
{
    output->line_count += more;
    if (output->lines.size >= LINES_BYTES) {
        write_lines(output);
    }
}

static void flush_sinks(struct output *output)
{
    for (uint32_t i = 0; i < output->sink_count; i++) {
        struct open_sink *s = &output->sinks[i];
        if (!s->broken && s->kind->flush != NULL) {
            s->broken = !s->kind->flush(s->sink, &output->failure);
        }
    }
}

const char *output_status(const struct output *output, uint32_t index, struct sink_status *ret)
{
    if (index >= output->sink_count) {
        return NULL;
    }
    const struct open_sink *s = &output->sinks[index];
    s->kind->status(s->sink, ret);
    return s->kind->name;
}

const struct sink_kind *output_sink(struct output *output, uint32_t index, struct sink **ret)
{
    if (index >= output->sink_count) {
        return NULL;
    }
    *ret = output->sinks[index].sink;
    return output->sinks[index].kind;
}

bool output_failure(const struct output *output, struct err *ret)
{
    if (output->failure.code == ERR_NONE) {
        return false;
    }
    *ret = output->failure;
    return true;
}

/* ---- Lifetime ------------------------------------------------------------------------------- */

struct output *output_new(const struct output_options *options, struct err *err)
{
    struct output *output = calloc(1, sizeof *output);
    struct outbox *outboxes = calloc(options->workers, sizeof *outboxes);
    struct flow_event *recent = calloc(options->recent + 1, sizeof *recent);
    struct event_writer *writer = event_writer_new(0);
    if (output == NULL || outboxes == NULL || recent == NULL || writer == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        event_writer_free(writer);
        free(output);
        free(outboxes);
        free(recent);
        return NULL;
    }
    output->options = *options;
    output->outboxes = outboxes;
    output->recent = recent;
    output->writer = writer;
    json_init(&output->lines);
    pthread_mutex_init(&output->lock, NULL);
    for (uint32_t i = 0; i < options->workers; i++) {
        outboxes[i].output = output;
        outboxes[i].mode = options->mode;
        outboxes[i].identities = flow_identities_new();
        if (!ring_init(&outboxes[i].ring, OUTBOX_BYTES) || outboxes[i].identities == NULL) {
            err_set(err, ERR_FAILED, "out of memory for events");
            output_free(output);
            return NULL;
        }
    }
    struct health_desk_options health = {.config = options->config,
                                         .list = options->connections,
                                         .roll = options->roll,
                                         .is_live = options->mode == OUTBOX_DROP};
    output->health = health_desk_new(&health, err);
    if (output->health == NULL) {
        output_free(output);
        return NULL;
    }
    bool is_shaped = shaper_is_wanted(options->config);
    output->shaper = is_shaped ? shaper_new(options->config, err) : NULL;
    if ((is_shaped && output->shaper == NULL) || !open_sinks(output, err)) {
        output_free(output);
        return NULL;
    }
    output->is_direct = options->mode == OUTBOX_DRAIN && output_takes_lines(output) &&
                        json_reserve(&output->lines, LINES_BYTES + LOG_BYTES) != NULL;
    return output;
}

/* What could not be delivered by the end is told, for nobody looks at a board any more. */
static void end_sink(const struct open_sink *s)
{
    if (s->kind->end == NULL) {
        return;
    }
    struct sink_status status;
    s->kind->end(s->sink);
    s->kind->status(s->sink, &status);
    if (status.lost > 0) {
        log_warning("output %s: %llu events are lost%s%s", s->kind->name,
                    (unsigned long long)status.lost, status.last_error[0] != '\0' ? ": " : "",
                    status.last_error);
    }
}

void output_free(struct output *output)
{
    if (output == NULL) {
        return;
    }
    for (uint32_t i = 0; i < output->sink_count; i++) {
        end_sink(&output->sinks[i]);
        output->sinks[i].kind->close(output->sinks[i].sink);
    }
    for (uint32_t i = 0; i < output->options.workers; i++) {
        ring_done(&output->outboxes[i].ring);
        flow_identities_free(output->outboxes[i].identities);
    }
    pthread_mutex_destroy(&output->lock);
    event_writer_free(output->writer);
    json_done(&output->lines);
    health_desk_free(output->health);
    shaper_free(output->shaper);
    node_done(&output->memory);
    free(output->recent);
    free(output->outboxes);
    free(output);
}

struct outbox *output_outbox(struct output *output, uint32_t worker)
{
    return &output->outboxes[worker];
}

bool output_is_wanted(const struct output *output)
{
    return output->takes_events || output->options.recent > 0 ||
           output->options.connections > 0;
}

bool output_takes_lines(const struct output *output)
{
    return output->takes_events && output->shaper == NULL;
}

/* ---- The worker's side ---------------------------------------------------------------------- */

static uint32_t move_events(struct output *output, bool last);

/* Who drains himself does so before more events than `most` bytes wait, which have left the cache then;
 * what comes next is written where they were. */
static void drain_early(struct outbox *outbox, size_t most)
{
    if (outbox->mode == OUTBOX_DRAIN && ring_used(&outbox->ring) > most) {
        move_events(outbox->output, false);
        ring_rewind(&outbox->ring);
    }
}

void *outbox_reserve(struct outbox *outbox, size_t size)
{
    drain_early(outbox, DRAIN_BYTES);
    void *room = ring_reserve(&outbox->ring, size);
    while (room == NULL && outbox->mode != OUTBOX_DROP) {
        if (outbox->mode == OUTBOX_DRAIN) {
            output_drain(outbox->output, false);
        } else {
            nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        }
        room = ring_reserve(&outbox->ring, size);
    }
    if (room == NULL) {
        atomic_fetch_add_explicit(&outbox->dropped, 1, memory_order_relaxed);
    }
    return room;
}

void outbox_commit(struct outbox *outbox)
{
    ring_commit(&outbox->ring);
}

void outbox_reclaim(struct outbox *outbox)
{
    struct outbox_returned *block =
        outbox != NULL ? atomic_exchange_explicit(&outbox->returned, NULL, memory_order_acquire) : NULL;
    while (block != NULL) {
        struct outbox_returned *next = block->next;
        outbox->large_bytes -= slab_room(block);
        slab_give(outbox->slab, block);
        block = next;
    }
}

/* Large events are on their way: who can wait for them to be gone does, lest memory runs short. */
static void await_large(struct outbox *outbox)
{
    drain_early(outbox, 0);
    outbox_reclaim(outbox);
    while (outbox->mode == OUTBOX_WAIT && outbox->large_bytes > LARGE_BYTES) {
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        outbox_reclaim(outbox);
    }
}

static void *open_room(struct outbox *outbox, size_t *size)
{
    struct ring *ring = &outbox->ring;
    *size = LOG_BYTES;
    if (outbox->large_bytes > 0) {
        await_large(outbox);
    }
    drain_early(outbox, DRAIN_BYTES);
    void *room = ring_open(ring, *size);
    while (room == NULL && outbox->mode == OUTBOX_WAIT) {
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        room = ring_open(ring, *size);
    }
    while (room == NULL && *size > LOG_LEAST) {
        *size /= 4;
        room = ring_open(ring, *size);
    }
    return room;
}

void outbox_open(struct outbox *outbox, struct event_log *log)
{
    size_t size;
    log->lines = NULL;
    if (outbox->output->is_direct) {
        drain_early(outbox, 0); /* what is there comes before what the log will have */
        log->lines = &outbox->output->lines;
    }
    if (log->memory != NULL && log->capacity == LOG_BYTES && ring_is_open(&outbox->ring)) {
        log->used = 0;
        return;
    }
    log->memory = open_room(outbox, &size);
    log->capacity = log->memory != NULL ? size : 0;
    log->used = 0;
}

void outbox_pass_log(struct outbox *outbox, struct event_log *log)
{
    if (log->used > 0) {
        ring_commit_many(&outbox->ring, log->used);
    }
    if (log->lost > 0) {
        atomic_fetch_add_explicit(&outbox->dropped, log->lost, memory_order_relaxed);
    }
    if (log->line_count > 0) {
        count_lines(outbox->output, log->line_count);
    }
    outbox->large_bytes += log->large_bytes;
    log->lost = log->line_count = 0;
    log->large_bytes = 0;
    outbox_open(outbox, log);
}

void outbox_pass(struct outbox *outbox, uint64_t order)
{
    atomic_store_explicit(&outbox->passed, order, memory_order_release);
}

/* ---- The output's side ---------------------------------------------------------------------- */

static void keep_recent(struct output *output, const struct flow_event *event)
{
    if (output->options.recent == 0 || !event->final) {
        return;
    }
    pthread_mutex_lock(&output->lock);
    output->recent[output->recent_count++ % output->options.recent] = *event;
    pthread_mutex_unlock(&output->lock);
}

static void write_event(struct output *output, const struct event_head *head)
{
    if (!output->takes_events) {
        return;
    }
    if (output->shaper == NULL) {
        event_writer_put(output->writer, &output->lines, head);
    } else if (!shaper_write(output->shaper, &output->lines, head)) {
        return;
    }
    json_newline(&output->lines);
    count_lines(output, 1);
}

static void deliver_health(struct output *output, struct health_event *event)
{
    const char *shape = output->options.config->flows.health_record;
    bool is_flat = shape != NULL && strcmp(shape, "ecs") != 0;
    health_desk_take(output->health, event);
    if (!is_flat || strcmp(shape, "both") == 0) {
        write_event(output, &event->flow.head);
    }
    if (is_flat) {
        struct health_flat flat;
        health_flat_of(&flat, event);
        write_event(output, &flat.head);
    }
}

static void deliver(struct output *output, struct outbox *outbox, struct event_head *head)
{
    if (head->type == &event_line_type) {
        const struct event_line *line = (const struct event_line *)head;
        json_append(&output->lines, line->text, line->size);
        count_lines(output, 1);
        return;
    }
    if (head->type == &health_event_type) {
        deliver_health(output, (struct health_event *)head);
        return;
    }
    if (head->type == &flow_event_type) {
        struct flow_event *event = (struct flow_event *)head;
        flow_identities_finish(outbox->identities, event);
        keep_recent(output, event);
    }
    write_event(output, head);
}

static bool comes_before(const struct event_head *a, const struct event_head *b)
{
    return a->order != b->order ? a->order < b->order : a->suborder < b->suborder;
}

/* The outbox whose oldest event is next; NULL when there is none, or when an empty outbox may yet
 * bring an earlier one. */
static struct outbox *next_outbox(struct output *output, bool last, struct event_head **ret)
{
    uint64_t bound = UINT64_MAX;
    struct outbox *best = NULL;
    for (uint32_t i = 0; i < output->options.workers; i++) {
        struct outbox *outbox = &output->outboxes[i];
        /* `passed` is read before the ring: what it vouches for is then in the ring. */
        uint64_t passed = atomic_load_explicit(&outbox->passed, memory_order_acquire);
        size_t size;
        struct event_head *head = ring_peek(&outbox->ring, &size);
        if (head == NULL) {
            bound = passed < bound ? passed : bound;
        } else if (best == NULL || (output->options.ordered && comes_before(head, *ret))) {
            best = outbox;
            *ret = head;
        }
    }
    bool early = output->options.ordered && output->options.workers > 1 && !last;
    return best != NULL && early && (*ret)->order >= bound ? NULL : best;
}

/* A large event has gone: its block is the worker's again. */
static void give_back(struct outbox *outbox, void *event)
{
    struct outbox_returned *block = event;
    block->next = atomic_load_explicit(&outbox->returned, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&outbox->returned, &block->next, block,
                                                  memory_order_release, memory_order_relaxed)) {
    }
}

/* Encodes what can be moved; full pieces go to the sinks. */
static uint32_t move_events(struct output *output, bool last)
{
    uint32_t moved = 0;
    struct event_head *head = NULL;
    struct outbox *outbox;
    while ((outbox = next_outbox(output, last, &head)) != NULL) {
        struct event_head *event = event_log_whole(head);
        deliver(output, outbox, event);
        if (event != head) {
            give_back(outbox, event);
        }
        ring_release(&outbox->ring);
        moved++;
    }
    return moved;
}

uint32_t output_drain(struct output *output, bool last)
{
    uint32_t moved = move_events(output, last);
    bool has_lines = output->line_count > 0; /* of what was moved between two hooks, too */
    if (has_lines) {
        write_lines(output);
    }
    if (last || has_lines || moved > 0) {
        flush_sinks(output);
    }
    return moved;
}

uint32_t output_recent(struct output *output, struct flow_event *ret, uint32_t max)
{
    pthread_mutex_lock(&output->lock);
    uint64_t count = output->recent_count;
    uint64_t kept = count < output->options.recent ? count : output->options.recent;
    uint32_t n = 0;
    for (; n < max && n < kept; n++) {
        ret[n] = output->recent[(count - 1 - n) % output->options.recent];
    }
    pthread_mutex_unlock(&output->lock);
    return n;
}

struct health_desk *output_health(struct output *output)
{
    return output->health;
}
