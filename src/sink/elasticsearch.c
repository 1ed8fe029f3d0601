// SPDX-License-Identifier: Apache-2.0
/* Events to Elasticsearch (7 to 9) and OpenSearch over the bulk API. The output's thread puts lines into
 * a bounded queue and goes on; a thread of the sink's own sends them. While the cluster is away, or says
 * that it is busy, the batch is kept and sent again, after pauses that grow, at random so that agents
 * do not come all at once; the queue fills, and what no longer fits is lost and counted. A document that
 * is refused for good (its mapping) is dropped; the others of its batch are not. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/pages.h"
#include "sink/elastic_bulk.h"
#include "sink/elastic_http.h"
#include "sink/elastic_setup.h"
#include "sink/line_queue.h"

enum { BATCH_BYTES = 8 << 20, TAKE_MS = 200, MILLISECOND = 1000000, STATUS_TOO_LARGE = 413 };

struct sink {
    const struct sink_cluster *cluster;
    struct line_queue *queue;
    struct elastic_http *http;
    pthread_t thread;
    bool has_thread;
    _Atomic bool stop;     /* give up what is under way */
    _Atomic bool idle;     /* nothing taken that is not sent */
    _Atomic uint64_t events, bytes, lost, refused, retries;
    pthread_mutex_t lock;  /* of the error */
    char last_error[200];
    /* the thread's own */
    struct json body;
    struct nodes scratch;
    char *batch;       /* address space for a line as large as the queue */
    size_t batch_room;
    struct span *lines;
    uint32_t *attempts;
    enum elastic_verdict *verdicts;
    bool is_set_up;
    bool is_away; /* the last trouble was that nobody answered, which passes */
    char path[1024];
};

/* What went wrong, at the host whose turn it is. */
static void remember(struct sink *sink, const char *what, const char *why)
{
    pthread_mutex_lock(&sink->lock);
    snprintf(sink->last_error, sizeof sink->last_error, "%s: %s%s%s",
             elastic_http_host(sink->http), what, why[0] != '\0' ? ": " : "", why);
    pthread_mutex_unlock(&sink->lock);
}

static void forget_error(struct sink *sink)
{
    if (sink->is_away) {
        pthread_mutex_lock(&sink->lock);
        sink->last_error[0] = '\0';
        pthread_mutex_unlock(&sink->lock);
        sink->is_away = false;
    }
}

static void lose(struct sink *sink, uint32_t count)
{
    atomic_fetch_add(&sink->lost, count);
}

/* ---- Pauses --------------------------------------------------------------------------------------- */

static void sleep_ns(struct sink *sink, int64_t ns)
{
    while (ns > 0 && !atomic_load(&sink->stop)) {
        int64_t step = ns < 50 * MILLISECOND ? ns : 50 * MILLISECOND;
        nanosleep(&(struct timespec){.tv_nsec = step}, NULL);
        ns -= step;
    }
}

/* Twice as long each time, up to a bound; between half of it and all of it. */
static void pause_after(struct sink *sink, unsigned failures)
{
    int64_t longest = sink->cluster->backoff_max_ns;
    int64_t pause = sink->cluster->backoff_ns;
    for (unsigned i = 1; i < failures && pause < longest; i++) {
        pause *= 2;
    }
    pause = pause < longest ? pause : longest;
    uint32_t random;
    arc4random_buf(&random, sizeof random);
    sleep_ns(sink, pause / 2 + (int64_t)((uint64_t)(pause / 2) * random / UINT32_MAX));
}

/* ---- Batches -------------------------------------------------------------------------------------- */

/* The lines of a batch; returns how many. */
static uint32_t split(struct sink *sink, size_t size)
{
    struct span rest = span_of(sink->batch, size);
    uint32_t count = 0;
    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t length = end != NULL ? (size_t)(end - rest.data) : rest.size;
        sink->attempts[count] = 0;
        sink->lines[count++] = span_head(rest, length);
        rest = span_skip(rest, length + 1);
    }
    return count;
}

/* Keeps what is to be sent again, in order; returns how many these are. */
static uint32_t sort_out(struct sink *sink, uint32_t count, const char *why)
{
    uint32_t again = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool may_try = sink->cluster->retries < 0 ||
                       sink->attempts[i] < (uint64_t)sink->cluster->retries;
        if (sink->verdicts[i] == ELASTIC_TAKEN) {
            atomic_fetch_add(&sink->events, 1);
            atomic_fetch_add(&sink->bytes, sink->lines[i].size);
        } else if (sink->verdicts[i] == ELASTIC_AGAIN && may_try) {
            sink->lines[again] = sink->lines[i];
            sink->attempts[again++] = sink->attempts[i] + 1;
        } else {
            atomic_fetch_add(&sink->refused, sink->verdicts[i] == ELASTIC_REFUSED);
            lose(sink, 1);
            remember(sink, "a document was refused", why);
        }
    }
    return again;
}

/* Writes the bulk request of `count` lines; those that cannot be said are lost. Returns how many it has. */
static uint32_t write_body(struct sink *sink, uint32_t count)
{
    struct elastic_bulk_target target = {
        .index = sink->cluster->index, .pipeline = sink->cluster->pipeline};
    uint32_t kept = 0;
    json_reset(&sink->body);
    for (uint32_t i = 0; i < count; i++) {
        if (elastic_bulk_add(&sink->body, sink->lines[i], &target, &sink->scratch)) {
            sink->lines[kept] = sink->lines[i];
            sink->attempts[kept++] = sink->attempts[i];
        } else {
            lose(sink, 1);
            remember(sink, "an event lacks the fields of the index's name", target.index);
        }
    }
    return kept;
}

static void complain(struct sink *sink, long status)
{
    char text[64];
    sink->is_away = true;
    if (status == 0) {
        remember(sink, elastic_http_error(sink->http), "");
        return;
    }
    snprintf(text, sizeof text, "it answered with status %ld", status);
    remember(sink, text, "");
}

enum sent { SENT, SENT_NOT, SENT_TOO_LARGE };

/* Sends the first `count` lines once; those that are to be sent again are left at the front. */
static enum sent send_once(struct sink *sink, uint32_t *count)
{
    char why[160];
    *count = write_body(sink, *count);
    if (*count == 0) {
        return SENT;
    }
    long status = elastic_http_send(sink->http, "POST", sink->path, "application/x-ndjson",
                                    span_of(sink->body.data, sink->body.size));
    if (status == STATUS_TOO_LARGE) {
        return SENT_TOO_LARGE;
    }
    if (status != 200) {
        complain(sink, status);
        return SENT_NOT;
    }
    int answered = elastic_bulk_answer(elastic_http_answer(sink->http), sink->verdicts, *count,
                                       &sink->scratch, why, sizeof why);
    if (answered != (int)*count) {
        remember(sink, "its answer is none to a bulk request", "");
        return SENT_NOT;
    }
    forget_error(sink);
    *count = sort_out(sink, *count, why);
    return SENT;
}

/* A document that no request is small enough for. */
static void lose_first(struct sink *sink)
{
    remember(sink, "a document is too large for it", "");
    atomic_fetch_add(&sink->refused, 1);
    lose(sink, 1);
}

static bool set_up(struct sink *sink)
{
    char why[160] = "";
    sink->is_set_up =
        sink->is_set_up || elastic_setup(sink->http, sink->cluster, why, sizeof why);
    if (!sink->is_set_up) {
        sink->is_away = true;
        remember(sink, why, "");
    }
    return sink->is_set_up;
}

/* Moves the lines behind the first `sent` ones, of which `left` are to be sent again, up to those. */
static uint32_t close_up(struct sink *sink, uint32_t all, uint32_t sent, uint32_t left)
{
    memmove(sink->lines + left, sink->lines + sent, (all - sent) * sizeof *sink->lines);
    memmove(sink->attempts + left, sink->attempts + sent, (all - sent) * sizeof *sink->attempts);
    return all - sent + left;
}

/* Sends all lines, however long it takes. */
static void send_all(struct sink *sink, uint32_t count)
{
    unsigned failures = 0;
    uint32_t part = count;
    while (count > 0 && !atomic_load(&sink->stop)) {
        part = part < count ? part : count;
        uint32_t left = part;
        enum sent sent = set_up(sink) ? send_once(sink, &left) : SENT_NOT;
        count = close_up(sink, count, part, left);
        if (sent == SENT_TOO_LARGE) {
            part = left / 2;
            if (part == 0) {
                lose_first(sink);
                count = close_up(sink, count, 1, 0);
                part = count;
            }
            continue;
        }
        if (sent == SENT) {
            elastic_http_done(sink->http);
        }
        part = sent == SENT ? count : part;
        failures = sent == SENT && left == 0 ? 0 : failures;
        if (left > 0) {
            atomic_fetch_add(&sink->retries, 1);
            failures += sent == SENT || elastic_http_turn(sink->http);
        }
        if (failures > 0 && left > 0) {
            pause_after(sink, failures);
        }
    }
    lose(sink, count);
}

/* A large event has gone: what it took goes back. */
static void shrink(struct sink *sink)
{
    pages_discard(sink->batch, sink->batch_room);
    node_done(&sink->scratch);
    json_done(&sink->body);
    json_init(&sink->body);
}

static void *run(void *of)
{
    struct sink *sink = of;
    const struct sink_cluster *c = sink->cluster;
    for (;;) {
        size_t size = 0;
        atomic_store(&sink->idle, line_queue_state(sink->queue).lines == 0);
        uint32_t count = line_queue_take(sink->queue, sink->batch, BATCH_BYTES,
                                         (uint32_t)c->bulk_events, TAKE_MS, &size);
        if (count > 0) {
            atomic_store(&sink->idle, false);
            send_all(sink, split(sink, size));
            if (size > BATCH_BYTES) {
                shrink(sink);
            }
            if (count < (uint32_t)c->bulk_events && !line_queue_has_ended(sink->queue)) {
                sleep_ns(sink, c->bulk_wait_ns); /* more will have come by then */
            }
        } else if (line_queue_has_ended(sink->queue) || atomic_load(&sink->stop)) {
            return NULL;
        }
    }
}

/* ---- The sink ------------------------------------------------------------------------------------- */

static void elasticsearch_free(struct sink *sink)
{
    elastic_http_free(sink->http);
    line_queue_free(sink->queue);
    json_done(&sink->body);
    node_done(&sink->scratch);
    pthread_mutex_destroy(&sink->lock);
    pages_release(sink->batch, sink->batch_room);
    free(sink->lines);
    free(sink->attempts);
    free(sink->verdicts);
    free(sink);
}

static bool take_memory(struct sink *sink, const struct sink_options *options)
{
    size_t most = (size_t)options->cluster->bulk_events;
    size_t queue_bytes = (size_t)options->cluster->queue_bytes;
    sink->queue = line_queue_new(queue_bytes, (uint32_t)options->cluster->queue_events,
                                 options->waits);
    sink->batch_room = queue_bytes > BATCH_BYTES ? queue_bytes : BATCH_BYTES;
    sink->batch = pages_reserve_sparse(sink->batch_room);
    sink->lines = calloc(most, sizeof *sink->lines);
    sink->attempts = calloc(most, sizeof *sink->attempts);
    sink->verdicts = calloc(most, sizeof *sink->verdicts);
    return sink->queue != NULL && sink->batch != NULL && sink->lines != NULL &&
           sink->attempts != NULL && sink->verdicts != NULL;
}

static struct sink *elasticsearch_open(const struct sink_options *options, struct err *err)
{
    struct sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        err_set(err, ERR_FAILED, "no memory for the output elasticsearch");
        return NULL;
    }
    sink->cluster = options->cluster;
    json_init(&sink->body);
    pthread_mutex_init(&sink->lock, NULL);
    snprintf(sink->path, sizeof sink->path, "/_bulk%s%s",
             sink->cluster->parameters[0] != '\0' ? "?" : "", sink->cluster->parameters);
    sink->http = elastic_http_new(sink->cluster, &sink->stop, err);
    bool is_good = sink->http != NULL &&
                   (take_memory(sink, options) ||
                    err_set(err, ERR_FAILED, "no memory for the output elasticsearch"));
    if (is_good && pthread_create(&sink->thread, NULL, run, sink) != 0) {
        is_good = err_set(err, ERR_FAILED, "no thread for the output elasticsearch");
    }
    if (!is_good) {
        elasticsearch_free(sink);
        return NULL;
    }
    sink->has_thread = true;
    return sink;
}

static bool elasticsearch_write(struct sink *sink, struct span lines, uint32_t count,
                                struct err *err)
{
    (void)count;
    (void)err;
    lose(sink, line_queue_put(sink->queue, lines));
    return true;
}

static bool elasticsearch_flush(struct sink *sink, struct err *err)
{
    (void)sink;
    (void)err;
    return true;
}

static void elasticsearch_status(const struct sink *sink, struct sink_status *ret)
{
    struct sink *s = (struct sink *)sink;
    *ret = (struct sink_status){
        .events = atomic_load(&s->events),
        .bytes = atomic_load(&s->bytes),
        .lost = atomic_load(&s->lost),
        .refused = atomic_load(&s->refused),
        .retries = atomic_load(&s->retries),
        .waiting = line_queue_state(s->queue).lines,
    };
    pthread_mutex_lock(&s->lock);
    memcpy(ret->last_error, s->last_error, sizeof ret->last_error);
    pthread_mutex_unlock(&s->lock);
}

/* What is left may take close_ns; then it is lost. */
static void elasticsearch_end(struct sink *sink)
{
    if (!sink->has_thread) {
        return;
    }
    line_queue_end(sink->queue);
    for (int64_t waited = 0; waited < sink->cluster->close_ns; waited += 10 * MILLISECOND) {
        if (atomic_load(&sink->idle) && line_queue_state(sink->queue).lines == 0) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10 * MILLISECOND}, NULL);
    }
    atomic_store(&sink->stop, true);
    pthread_join(sink->thread, NULL);
    lose(sink, line_queue_state(sink->queue).lines);
    sink->has_thread = false;
}

static void elasticsearch_close(struct sink *sink)
{
    if (sink != NULL) {
        elasticsearch_end(sink);
        elasticsearch_free(sink);
    }
}

const struct sink_kind sink_elasticsearch = {
    .name = "elasticsearch",
    .help = "Events to Elasticsearch or OpenSearch, in bulk, with a queue in memory",
    .open = elasticsearch_open,
    .write = elasticsearch_write,
    .flush = elasticsearch_flush,
    .status = elasticsearch_status,
    .end = elasticsearch_end,
    .close = elasticsearch_close,
};
