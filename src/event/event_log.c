// SPDX-License-Identifier: Apache-2.0
#include "event/event_log.h"

#include "base/json.h"
#include "event/event_writer.h"

/* Before each event stands how many bytes it takes. */
enum { LOG_HEAD = sizeof(uint64_t) };

const struct event_type event_line_type = {
    .dataset = "line",
    .help = "An event as one line of JSON",
    .size = sizeof(struct event_line),
    .fields = (const struct event_field[]){{0}},
};

/* Writes an event as a line to `to`, which has so much room, and returns its size; 0 when there is no such
 * room, or when a text in it may be longer than texts may be. */
static size_t event_log_line(struct event_log *log, char *to, size_t room,
                             const struct event_head *event)
{
    struct json text = {.data = to, .capacity = room, .is_fixed = true};
    event_writer_put(log->writer, &text, event);
    json_append(&text, "\n", 1);
    return text.failed || text.size > log->text_max ? 0 : text.size;
}

/* Encodes an event at `to` and returns the bytes it takes; 0 as above. */
static size_t event_log_write(struct event_log *log, void *to, size_t room,
                              const struct event_head *event)
{
    struct event_line *line = to;
    if (room < sizeof *line) {
        return 0;
    }
    line->size = event_log_line(log, line->text, room - sizeof *line, event);
    line->head = *event;
    line->head.type = &event_line_type;
    return line->size == 0 ? 0 : (sizeof *line + line->size + LOG_HEAD - 1) & ~(size_t)(LOG_HEAD - 1);
}

/* Encodes an event right behind the lines that are there already. One with a text that is to be cut is
 * packed first, into the log's memory, and written from there. */
static bool event_log_pass(struct event_log *log, const struct event_head *event)
{
    struct json *to = log->lines;
    size_t room = to->capacity - to->size;
    size_t size = event_log_line(log, to->data + to->size, room, event);
    if (size == 0 && event_pack(log->memory, log->capacity, event, log->text_max) <= log->capacity) {
        struct json text = {.data = to->data + to->size, .capacity = room, .is_fixed = true};
        event_writer_put(log->writer, &text, (const struct event_head *)(void *)log->memory);
        json_append(&text, "\n", 1);
        size = text.failed ? 0 : text.size;
    }
    to->size += size;
    log->line_count += size > 0;
    log->lost += size == 0;
    return size > 0;
}

bool event_log_add(struct event_log *log, struct event_head *event)
{
    size_t room = log->capacity - log->used;
    if (room <= LOG_HEAD) { /* without an event on its way nobody pays for making one */
        log->lost++;
        return false;
    }
    room -= LOG_HEAD;
    uint8_t *at = log->memory + log->used + LOG_HEAD;
    if (log->complete != NULL) {
        log->complete(log->owner, event);
    }
    if (log->writer != NULL && log->lines != NULL) {
        return event_log_pass(log, event);
    }
    uint64_t size = log->writer != NULL ? event_log_write(log, at, room, event) : 0;
    if (size == 0) {
        size = event_pack(at, room, event, log->text_max);
    }
    if (size > room) {
        log->lost++;
        return false;
    }
    memcpy(at - LOG_HEAD, &size, sizeof size);
    log->used += LOG_HEAD + size;
    return true;
}

static struct event_head *event_log_at(const struct event_log *log, size_t offset)
{
    return offset < log->used ? (struct event_head *)(void *)(log->memory + offset + LOG_HEAD)
                              : NULL;
}

struct event_head *event_log_first(struct event_log *log)
{
    return event_log_at(log, 0);
}

struct event_head *event_log_next(struct event_log *log, const struct event_head *event)
{
    const uint8_t *at = (const uint8_t *)event;
    uint64_t size;
    memcpy(&size, at - LOG_HEAD, sizeof size);
    return event_log_at(log, (size_t)(at - log->memory) + size);
}

void event_log_reset(struct event_log *log)
{
    log->used = 0;
}
