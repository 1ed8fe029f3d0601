// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a file, read and mapped: the same frames, and the same said of it at the end. */
#include "tap/capture_file.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum tap_status status;
    uint64_t frames;
    uint64_t sum; /* of everything that frames say */
    struct err err;
};

static uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x9e3779b97f4a7c15U + (sum >> 29);
}

static void add_frame(struct outcome *o, const struct frame *frame)
{
    o->frames++;
    o->sum = mix(o->sum, frame->time_ns);
    o->sum = mix(o->sum, (uint64_t)frame->cap_len << 32 | frame->wire_len);
    o->sum = mix(o->sum, (uint64_t)frame->interface << 32 | frame->link);
    for (uint32_t i = 0; i < frame->cap_len; i++) {
        o->sum = mix(o->sum, frame->data[i]);
    }
    for (size_t i = 0; i < frame->comment.size; i++) {
        o->sum = mix(o->sum, frame->comment.data[i]);
    }
}

static struct outcome run(const char *path, bool is_alone)
{
    struct outcome o = {.status = TAP_ERROR};
    struct frame frames[16];
    struct tap_batch batch = {.frames = frames,
                              .capacity = 16,
                              .memory = malloc(TAP_BATCH_MEMORY),
                              .memory_size = TAP_BATCH_MEMORY,
                              .is_alone = is_alone};
    struct capture_file *file = capture_file_open(path, 0, 100, NULL, &o.err);
    if (file != NULL) {
        while ((o.status = capture_file_next(file, &batch, &o.err)) == TAP_OK) {
            for (uint32_t i = 0; i < batch.count; i++) {
                add_frame(&o, &batch.frames[i]);
            }
        }
        capture_file_close(file);
    }
    free(batch.memory);
    return o;
}

/* The input without its first byte, many times over if that says so: longer than what is lent of a
 * map at once. */
static void write_file(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert(fd >= 0);
    unsigned times = data[0] % 4 == 3 ? 1 + (200 << 10) / (unsigned)size : 1;
    for (unsigned i = 0; i < times; i++) {
        ssize_t n = write(fd, data + 1, size - 1);
        assert(n == (ssize_t)size - 1);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/capture_file_fuzz.%d", (int)getpid());
    write_file(path, data, size);
    struct outcome read = run(path, false);
    struct outcome mapped = run(path, true);
    assert(read.status == mapped.status && read.frames == mapped.frames && read.sum == mapped.sum);
    assert(strcmp(read.err.text, mapped.err.text) == 0);
    unlink(path);
    return 0;
}
