// SPDX-License-Identifier: Apache-2.0
#include "event/event_log.h"

/* Before each event stands how many bytes it takes. */
enum { LOG_HEAD = sizeof(uint64_t) };

bool event_log_add(struct event_log *log, const struct event_head *event)
{
    size_t room = log->capacity - log->used;
    room = room > LOG_HEAD ? room - LOG_HEAD : 0;
    uint8_t *at = room > 0 ? log->memory + log->used : NULL;
    /* Without an event on its way nobody pays for the measure of one. */
    uint64_t size = room > 0 ? event_pack(at + LOG_HEAD, room, event, log->text_max) : 1;
    if (size > room) {
        log->lost++;
        return false;
    }
    memcpy(at, &size, sizeof size);
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
