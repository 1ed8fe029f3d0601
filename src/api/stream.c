// SPDX-License-Identifier: Apache-2.0
#include "api/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "api/board_json.h"

enum { WAIT_MS = 200, BLOCK_SIZE = 8 << 10 };

/* One rendered event, shared by those who send it. Guarded by the stream's lock. */
struct message {
    unsigned references;
    size_t size;
    char *data;
};

struct listener {
    struct listener *next;
    struct listener *previous;
    struct stream *stream;
    struct MHD_Connection *connection;
    struct message *message; /* being sent, or NULL */
    size_t sent;
    uint64_t sequence; /* of the latest message taken */
    bool asleep;       /* suspended in the server until the next message */
};

struct stream {
    struct engine *engine;
    unsigned listeners_max;
    pthread_t thread;
    _Atomic uint64_t changed_ms; /* monotonic time at which the board last changed */
    pthread_mutex_t lock;        /* guards all below */
    bool closing;
    struct message *latest;
    uint64_t sequence; /* messages published so far */
    struct listener *listeners;
    unsigned listener_count;
};

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void message_unref(struct message *message)
{
    if (message != NULL && --message->references == 0) {
        free(message->data);
        free(message);
    }
}

/* Takes the memory of `text`; NULL when there is none. */
static struct message *message_of(struct json *text)
{
    struct message *message = text->failed ? NULL : calloc(1, sizeof(*message));
    if (message == NULL) {
        json_done(text);
        return NULL;
    }
    *message = (struct message){.references = 1, .size = text->size, .data = text->data};
    return message;
}

static struct message *render_tick(struct engine *engine, uint64_t sequence)
{
    struct board_json_options options = {.seconds = STREAM_SECONDS, .top = STREAM_TOP};
    struct json text;
    json_init(&text);
    json_printf(&text, "event: tick\nid: %llu\ndata: ", (unsigned long long)sequence);
    text.comma = false;
    board_json(engine_lock(engine), options, &text);
    engine_unlock(engine);
    json_append(&text, "\n\n", 2);
    return message_of(&text);
}

static struct message *render_heartbeat(void)
{
    struct json text;
    json_init(&text);
    json_append(&text, ": still here\n\n", 14);
    return message_of(&text);
}

/* ---- Listeners ------------------------------------------------------------------------------- */

static void wake_all(struct stream *stream)
{
    for (struct listener *l = stream->listeners; l != NULL; l = l->next) {
        if (l->asleep) {
            l->asleep = false;
            MHD_resume_connection(l->connection);
        }
    }
}

/* Without listeners nothing is rendered: the next to come must not get an old event. */
static void drop_latest(struct stream *stream)
{
    message_unref(stream->latest);
    stream->latest = NULL;
}

static void publish(struct stream *stream, struct message *message)
{
    pthread_mutex_lock(&stream->lock);
    message_unref(stream->latest);
    stream->latest = message;
    stream->sequence++;
    wake_all(stream);
    if (stream->listener_count == 0) {
        drop_latest(stream);
    }
    pthread_mutex_unlock(&stream->lock);
}

/* Takes the next message if there is one that this listener has not had. */
static bool take_message(struct listener *l)
{
    struct stream *stream = l->stream;
    if (stream->latest == NULL || l->sequence == stream->sequence) {
        return false;
    }
    l->message = stream->latest;
    l->message->references++;
    l->sent = 0;
    l->sequence = stream->sequence;
    return true;
}

/* What goes out next, with the lock held: bytes of a message, or 0 to sleep. */
static ssize_t read_locked(struct listener *l, char *to, size_t room)
{
    if (l->stream->closing) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (l->message == NULL && !take_message(l)) {
        l->asleep = true;
        MHD_suspend_connection(l->connection);
        return 0;
    }
    if (l->stream->sequence - l->sequence > STREAM_MISSES) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t rest = l->message->size - l->sent;
    size_t n = rest < room ? rest : room;
    memcpy(to, l->message->data + l->sent, n);
    l->sent += n;
    if (l->sent == l->message->size) {
        message_unref(l->message);
        l->message = NULL;
    }
    return (ssize_t)n;
}

static ssize_t listener_read(void *context, uint64_t position, char *to, size_t room)
{
    struct listener *l = context;
    pthread_mutex_lock(&l->stream->lock);
    ssize_t n = read_locked(l, to, room);
    pthread_mutex_unlock(&l->stream->lock);
    return n;
}

static void listener_free(void *context)
{
    struct listener *l = context;
    struct stream *stream = l->stream;
    pthread_mutex_lock(&stream->lock);
    if (l->previous != NULL) {
        l->previous->next = l->next;
    } else {
        stream->listeners = l->next;
    }
    if (l->next != NULL) {
        l->next->previous = l->previous;
    }
    stream->listener_count--;
    if (stream->listener_count == 0) {
        drop_latest(stream);
    }
    message_unref(l->message);
    pthread_mutex_unlock(&stream->lock);
    free(l);
}

static bool listener_add(struct stream *stream, struct listener *l)
{
    pthread_mutex_lock(&stream->lock);
    bool room = !stream->closing && stream->listener_count < stream->listeners_max;
    if (room) {
        l->next = stream->listeners;
        if (l->next != NULL) {
            l->next->previous = l;
        }
        stream->listeners = l;
        stream->listener_count++;
    }
    pthread_mutex_unlock(&stream->lock);
    return room;
}

struct MHD_Response *stream_open(struct stream *stream, struct MHD_Connection *connection)
{
    struct listener *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        return NULL;
    }
    l->stream = stream;
    l->connection = connection;
    if (!listener_add(stream, l)) {
        free(l);
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_SIZE, listener_read, l, listener_free);
    if (response == NULL) {
        listener_free(l);
        return NULL;
    }
    MHD_add_response_header(response, "Cache-Control", "no-store");
    return response;
}

/* ---- The thread ------------------------------------------------------------------------------ */

static bool is_closing(struct stream *stream, bool *has_listeners)
{
    pthread_mutex_lock(&stream->lock);
    bool closing = stream->closing;
    *has_listeners = stream->listener_count > 0;
    pthread_mutex_unlock(&stream->lock);
    return closing;
}

static void *run(void *context)
{
    struct stream *stream = context;
    uint64_t version = 0;
    uint64_t sent_ms = monotonic_ms();
    for (;;) {
        uint64_t newest = engine_wait(stream->engine, version, WAIT_MS);
        uint64_t now_ms = monotonic_ms();
        bool has_listeners;
        if (is_closing(stream, &has_listeners)) {
            return NULL;
        }
        struct message *message = NULL;
        if (newest != version) {
            version = newest;
            atomic_store(&stream->changed_ms, now_ms);
            message = has_listeners ? render_tick(stream->engine, version) : NULL;
        } else if (has_listeners && now_ms - sent_ms > STREAM_HEARTBEAT_SECONDS * 1000) {
            message = render_heartbeat();
        }
        if (message != NULL) {
            sent_ms = now_ms;
            publish(stream, message);
        }
    }
}

struct stream *stream_new(struct engine *engine, unsigned listeners_max, struct err *err)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        err_set(err, ERR_FAILED, "api: out of memory");
        return NULL;
    }
    stream->engine = engine;
    stream->listeners_max = listeners_max;
    stream->changed_ms = monotonic_ms();
    pthread_mutex_init(&stream->lock, NULL);
    if (pthread_create(&stream->thread, NULL, run, stream) != 0) {
        err_set(err, ERR_FAILED, "api: cannot start a thread: the limit of processes is reached");
        pthread_mutex_destroy(&stream->lock);
        free(stream);
        return NULL;
    }
    return stream;
}

void stream_close(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->closing = true;
    wake_all(stream);
    pthread_mutex_unlock(&stream->lock);
}

void stream_free(struct stream *stream)
{
    if (stream == NULL) {
        return;
    }
    stream_close(stream);
    pthread_join(stream->thread, NULL);
    message_unref(stream->latest);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

uint64_t stream_age_ms(const struct stream *stream)
{
    return monotonic_ms() - atomic_load(&stream->changed_ms);
}

unsigned stream_listeners(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    unsigned count = stream->listener_count;
    pthread_mutex_unlock(&stream->lock);
    return count;
}
