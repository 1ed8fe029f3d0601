// SPDX-License-Identifier: Apache-2.0
#include "cmd/read_files.h"

#include "base/text.h"
#include "cmd/interrupt.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Progress on standard error, for work over a second, on a terminal. */
struct progress {
    bool wanted;
    bool shown;
    struct timespec began;
};

static void show_progress(struct progress *progress, const struct engine *engine)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!progress->wanted || now.tv_sec - progress->began.tv_sec < 1) {
        return;
    }
    uint64_t done, total;
    engine_progress(engine, &done, &total);
    char text[TEXT_ROOM];
    text_short_bytes(text, (double)done);
    if (total > 0) {
        fprintf(stderr, "\r\033[K%s read, %.0f %%", text, 100.0 * (double)done / (double)total);
    } else {
        fprintf(stderr, "\r\033[K%s read", text);
    }
    progress->shown = true;
}

static void end_progress(struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
    }
}

enum engine_status read_files_all(struct engine *engine, struct err *err)
{
    struct progress progress = {.wanted = isatty(STDERR_FILENO)};
    clock_gettime(CLOCK_MONOTONIC, &progress.began);
    enum engine_status status = ENGINE_MORE;
    while (status == ENGINE_MORE && !interrupt_seen()) {
        status = engine_read(engine, err);
        show_progress(&progress, engine);
    }
    end_progress(&progress);
    return status;
}

void read_files_complain(const struct err *err)
{
    char text[sizeof err->text];
    memcpy(text, err->text, sizeof text);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (line[0] != '\0') {
            fprintf(stderr, "vantage read: %s\n", line);
        }
    }
}
