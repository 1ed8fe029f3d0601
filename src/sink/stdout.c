// SPDX-License-Identifier: Apache-2.0
/* Events on standard output. What reads them may end first (head, less): that is an end, too, and
 * a quiet one. Any other failure is final as well: nobody repairs a pipe. The process must ignore
 * SIGPIPE, or it ends at the first write to a closed pipe without a word. */
#include "sink/codec.h"
#include "sink/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct sink {
    struct lines lines;
    struct codec codec;
    int failure; /* errno of the end, or 0 */
};

static struct sink *stdout_open(const struct sink_options *options, struct err *err)
{
    struct sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL || !lines_init(&sink->lines)) {
        free(sink);
        err_set(err, ERR_FAILED, "no memory for the events on their way to standard output");
        return NULL;
    }
    codec_init(&sink->codec, options);
    return sink;
}

/* False with the reason once standard output has failed. */
static bool stdout_stands(const struct sink *sink, struct err *err)
{
    if (sink->failure == EPIPE) {
        return err_set(err, ERR_FAILED, "standard output was closed");
    }
    return sink->failure == 0 ||
           err_set(err, ERR_FAILED, "cannot write to standard output: %s", strerror(sink->failure));
}

static bool stdout_write(struct sink *sink, struct span lines, uint32_t count, struct err *err)
{
    if (sink->failure == 0) {
        sink->failure = lines_put(&sink->lines, STDOUT_FILENO, codec_apply(&sink->codec, lines),
                                  count);
    } else {
        lines_lose(&sink->lines, count, sink->failure);
    }
    return stdout_stands(sink, err);
}

static bool stdout_flush(struct sink *sink, struct err *err)
{
    if (sink->failure == 0) {
        sink->failure = lines_flush(&sink->lines, STDOUT_FILENO);
    }
    if (sink->failure != 0) {
        lines_lose(&sink->lines, 0, sink->failure);
    }
    return stdout_stands(sink, err);
}

static void stdout_status(const struct sink *sink, struct sink_status *ret)
{
    *ret = sink->lines.status;
}

static void stdout_close(struct sink *sink)
{
    if (sink != NULL) {
        stdout_flush(sink, NULL);
        lines_done(&sink->lines);
        codec_done(&sink->codec);
        free(sink);
    }
}

const struct sink_kind sink_stdout = {
    .name = "stdout",
    .help = "Events on standard output, one JSON object a line",
    .open = stdout_open,
    .write = stdout_write,
    .flush = stdout_flush,
    .status = stdout_status,
    .close = stdout_close,
};
