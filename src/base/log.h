// SPDX-License-Identifier: Apache-2.0
/* Lines for the operator. Only cmd/ and engine/ log; rooms below return a `struct err`. A line goes
 * to standard error as `level: text`, or to the sink that was set. Any thread; a lock is taken, so
 * never on the packet path. When the same trouble repeats, lines beyond a burst of LOG_BURST and
 * LOG_PER_SECOND are left out, and the next line that passes says how many were. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum { LOG_BURST = 100, LOG_PER_SECOND = 10, LOG_LINE_MAX = 2048 };

/* Names of the levels, NULL-terminated, in order: error, warning, info, debug. */
extern const char *const log_level_names[];

/* Takes a finished line without its newline; `context` is what was set along with it. */
typedef void log_sink(void *context, enum log_level level, const char *line);

/* Lines above `level` are left out; info at first. */
void log_set_level(enum log_level level);

/* Where lines go; NULL: standard error again. */
void log_set_sink(log_sink *sink, void *context);

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warning(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_debug(const char *format, ...);
