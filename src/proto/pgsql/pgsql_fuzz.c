// SPDX-License-Identifier: Apache-2.0
/* A connection of hostile bytes: the first byte says how it begins and what is asked for of events, then
 * two bytes say who does what, and so many come. It is played as it comes and again byte by byte; both
 * must say and count the same, and give all memory back. */
#include "proto/pgsql/pgsql_drive.h"
#include "proto/pgsql/pgsql_look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 300 };

#define BYTES(text) span_of(text, sizeof text - 1)

static void begin(struct drive *d, unsigned kind)
{
    if (kind == 1) { /* met midway, at a query */
        drive_say(d, 0, BYTES("Q\0\0\0\x0dselect 1\0"), 1, SIZE_MAX);
        return;
    }
    if (kind == 2) {
        drive_say(d, 0, BYTES("\0\0\0\x08\x04\xd2\x16\x2f"), 1, SIZE_MAX);
        drive_say(d, 1, BYTES("N"), 1, SIZE_MAX);
    }
    drive_say(d, 0, BYTES("\0\0\0\x12\0\3\0\0user\0ann\0\0"), 1, SIZE_MAX);
    if (kind == 0) {
        drive_say(d, 1, BYTES("R\0\0\0\x08\0\0\0\0Z\0\0\0\5I"), 1, SIZE_MAX);
    }
}

static void play(struct drive *d, struct span input, struct slab *slab, size_t piece)
{
    drive_begin(d, slab, TEXT_MAX);
    struct cursor c = cursor_of(input);
    uint8_t kind = cursor_u8(&c);
    d->options.common.send_response = kind & 0x80;
    d->options.common.send_request = kind & 0x40;
    d->options.common.report_unmatched = kind & 0x40;
    d->options.all_statements = kind & 0x20;
    begin(d, kind & 3);
    for (uint64_t now = 2; cursor_left(&c) > 0; now++) {
        uint8_t what = cursor_u8(&c);
        size_t length = cursor_u8(&c);
        if ((what & 0xf0) == 0xf0) {
            drive_gap(d, what & 1, (uint32_t)length);
        } else if ((what & 0xf0) == 0xe0) {
            drive_fin(d, what & 1);
        } else {
            length = length < cursor_left(&c) ? length : cursor_left(&c);
            drive_say(d, what & 1, cursor_take(&c, length), now, piece);
        }
    }
    drive_end(d, PROTO_TIMEOUT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    pgsql_look(input);
    static struct drive whole, bytes;
    struct slab *slab = slab_new(DRIVE_BUDGET);
    assert(slab != NULL);
    play(&whole, input, slab, SIZE_MAX);
    play(&bytes, input, slab, 1);
    assert(whole.said.size == bytes.said.size);
    assert(whole.said.size == 0 || memcmp(whole.said.data, bytes.said.data, whole.said.size) == 0);
    assert(memcmp(&whole.stats, &bytes.stats, sizeof whole.stats) == 0);
    assert(whole.let_go == bytes.let_go);
    drive_free(&whole);
    drive_free(&bytes);
    slab_free(slab);
    return 0;
}
