// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

const char *const log_level_names[] = {"error", "warning", "info", "debug", NULL};

/* The one log of the process. `tokens` is a bucket: a line takes one, time fills it. */
static struct {
    pthread_mutex_t lock;
    enum log_level level;
    log_sink *sink;
    void *context;
    double tokens;
    double filled_at; /* seconds of the monotonic clock */
    uint64_t left_out;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO, .tokens = LOG_BURST};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Whether the bucket has a token; takes it. */
static bool take_token(void)
{
    double at = now();
    state.tokens += (at - state.filled_at) * LOG_PER_SECOND;
    state.tokens = state.tokens > LOG_BURST ? LOG_BURST : state.tokens;
    state.filled_at = at;
    if (state.tokens < 1) {
        return false;
    }
    state.tokens -= 1;
    return true;
}

static void write_line(enum log_level level, const char *line)
{
    if (state.sink != NULL) {
        state.sink(state.context, level, line);
    } else {
        fprintf(stderr, "%s: %s\n", log_level_names[level], line);
    }
}

/* Writes a line if there is a token for it, after a note on those that had none. */
static void write_limited(enum log_level level, const char *line)
{
    if (!take_token()) {
        state.left_out++;
        return;
    }
    if (state.left_out > 0) {
        char note[64];
        snprintf(note, sizeof note, "%llu lines were left out", (unsigned long long)state.left_out);
        state.left_out = 0;
        write_line(LOG_LEVEL_WARNING, note);
    }
    write_line(level, line);
}

__attribute__((format(printf, 2, 0))) static void log_any(enum log_level level, const char *format,
                                                          va_list args)
{
    pthread_mutex_lock(&state.lock);
    if (level <= state.level) {
        char line[LOG_LINE_MAX];
        vsnprintf(line, sizeof line, format, args);
        write_limited(level, line);
    }
    pthread_mutex_unlock(&state.lock);
}

void log_set_level(enum log_level level)
{
    pthread_mutex_lock(&state.lock);
    state.level = level;
    pthread_mutex_unlock(&state.lock);
}

void log_set_sink(log_sink *sink, void *context)
{
    pthread_mutex_lock(&state.lock);
    state.sink = sink;
    state.context = context;
    pthread_mutex_unlock(&state.lock);
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_any(LOG_LEVEL_ERROR, format, args);
    va_end(args);
}

void log_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_any(LOG_LEVEL_WARNING, format, args);
    va_end(args);
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_any(LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void log_debug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_any(LOG_LEVEL_DEBUG, format, args);
    va_end(args);
}
