// SPDX-License-Identifier: Apache-2.0
#include "event/event_log.h"

#include "base/json.h"
#include "base/slab.h"
#include "event/event_writer.h"

/* Before each event stands how many bytes it takes. What is smaller than LARGE_LEAST has no block of its
 * own, for it is not what blocks are for: there are many of them. */
enum { LOG_HEAD = sizeof(uint64_t), LARGE_LEAST = 32 << 10 };

const struct event_type event_line_type = {
    .dataset = "line",
    .help = "An event as one line of JSON",
    .size = sizeof(struct event_line),
    .fields = (const struct event_field[]){{0}},
};

const struct event_type event_large_type = {
    .dataset = "large",
    .help = "An event that has a block of memory of its own",
    .size = sizeof(struct event_large),
    .fields = (const struct event_field[]){{0}},
};

/* Writes an event as a line to `to`, which has so much room, and returns its size; 0 when there is no such
 * room, or when a text in it may be longer than texts may be. */
static size_t event_log_line(struct event_log *log, char *to, size_t room,
                             const struct event_head *event, size_t text_max)
{
    struct json text = {.data = to, .capacity = room, .is_fixed = true};
    event_writer_put(log->writer, &text, event);
    json_newline(&text);
    return text.failed || text.size > text_max ? 0 : text.size;
}

/* Encodes an event at `to` and returns the bytes it takes; 0 as above. */
static size_t event_log_write(struct event_log *log, void *to, size_t room,
                              const struct event_head *event, size_t text_max)
{
    struct event_line *line = to;
    if (room < sizeof *line) {
        return 0;
    }
    line->size = event_log_line(log, line->text, room - sizeof *line, event, text_max);
    line->head = *event;
    line->head.type = &event_line_type;
    return line->size == 0 ? 0 : (sizeof *line + line->size + LOG_HEAD - 1) & ~(size_t)(LOG_HEAD - 1);
}

/* Encodes an event right behind the lines that are there already; false as above. */
static bool event_log_pass(struct event_log *log, const struct event_head *event, size_t text_max)
{
    struct json *to = log->lines;
    size_t room = to->capacity - to->size;
    size_t size = event_log_line(log, to->data + to->size, room, event, text_max);
    to->size += size;
    log->line_count += size > 0;
    return size > 0;
}

/* Packs an event that takes `size` bytes, and the log has not so much room, into a block, or with its texts
 * cut. Returns the bytes it takes at `to` then. */
static __attribute__((noinline)) size_t event_log_large(struct event_log *log, void *to, size_t room,
                                                        const struct event_head *event, size_t size,
                                                        size_t text_max)
{
    bool is_large = log->slab != NULL && size >= LARGE_LEAST && size != SIZE_MAX &&
                    room >= sizeof(struct event_large);
    void *block = is_large ? slab_grow_large(log->slab, NULL, size) : NULL;
    if (block == NULL) {
        size = text_max > log->text_max ? event_pack(to, room, event, log->text_max) : size;
        log->is_cut = true;
        return size;
    }
    event_pack(block, size, event, text_max);
    struct event_large *large = to;
    *large = (struct event_large){.head = *event, .event = block};
    large->head.type = &event_large_type;
    log->large_bytes += slab_room(block);
    return sizeof *large;
}

/* Puts an event at `at`, as a line where lines are made here; returns the bytes it takes, more than `room`
 * when it has not gone there. */
static size_t event_log_put(struct event_log *log, void *at, size_t room,
                            const struct event_head *event, size_t text_max)
{
    bool is_line = log->writer != NULL && log->lines == NULL;
    size_t size = is_line ? event_log_write(log, at, room, event, text_max) : 0;
    if (size == 0) {
        size = event_pack(at, room, event, text_max);
    }
    return size <= room ? size : event_log_large(log, at, room, event, size, text_max);
}

static inline bool event_log_take(struct event_log *log, struct event_head *event, size_t text_max)
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
    bool passes = log->writer != NULL && log->lines != NULL && log->used == 0; /* behind others, they wait */
    if (passes && event_log_pass(log, event, text_max)) {
        return true;
    }
    uint64_t size = event_log_put(log, at, room, event, text_max);
    if (size > room) {
        log->lost++;
        return false;
    }
    memcpy(at - LOG_HEAD, &size, sizeof size);
    log->used += LOG_HEAD + size;
    return true;
}

static bool event_log_count(struct event_log *log, bool is_there)
{
    log->cut += is_there && log->is_cut;
    log->is_cut = false;
    return is_there;
}

bool event_log_add(struct event_log *log, struct event_head *event)
{
    return event_log_count(log, event_log_take(log, event, log->text_max));
}

bool event_log_add_whole(struct event_log *log, struct event_head *event)
{
    return event_log_count(log, event_log_take(log, event, SIZE_MAX / 2));
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
