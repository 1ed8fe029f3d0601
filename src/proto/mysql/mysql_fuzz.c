// SPDX-License-Identifier: Apache-2.0
/* A connection of hostile bytes: the first byte says how both sides logged in, then two bytes say who
 * does what, and so many come. It is played as it comes and again byte by byte; both must say and count
 * the same, and give all memory back. */
#include "proto/mysql/mysql_drive.h"
#include "proto/mysql/mysql_look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 300 };

static const char greeting[] = "\x4a\0\0\0\x0a"
                               "5.5.5-10.11\0"
                               "\1\0\0\0salt8byt\0\xfe\xf7\x2d\2\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0"
                               "saltsaltsalt\0mysql_native_passwo";
static const char login_ok[] = "\7\0\0\2\0\0\0\2\0\0\0";

/* The client's words: classic, without EOF, compressed with zlib, with Zstandard. */
static struct span write_login(char to[64], unsigned kind)
{
    static const uint8_t high[] = {0x0f, 0x0f, 0x0f, 0x0f, 0x09};
    memset(to, 0, 64);
    to[0] = 32 + 6;
    to[3] = 1;
    to[4] = (char)(kind == 2 ? 0xa5 : 0x85);
    to[5] = (char)0xa2;
    to[6] = (char)high[kind];
    to[7] = (char)(kind == 1 ? 1 : kind == 3 ? 4 : kind == 4 ? 8 : 0);
    memcpy(to + 36, "root", 5);
    return span_of(to, 4 + 32 + 6);
}

static void log_in(struct drive *d, uint8_t kind)
{
    char login[64];
    if (kind % 6 == 5) { /* met midway, at a command */
        drive_say(d, 0, span_of("\7\0\0\0\3do 'a'", 11), 1, SIZE_MAX);
        return;
    }
    drive_say(d, 1, span_of(greeting, sizeof greeting - 1), 1, SIZE_MAX);
    drive_say(d, 0, write_login(login, kind % 6), 1, SIZE_MAX);
    drive_say(d, 1, span_of(login_ok, sizeof login_ok - 1), 1, SIZE_MAX);
}

static void play(struct drive *d, struct span input, struct slab *slab, size_t piece)
{
    drive_begin(d, slab, TEXT_MAX);
    struct cursor c = cursor_of(input);
    uint8_t kind = cursor_u8(&c);
    d->options.common.send_response = kind & 0x80;
    d->options.common.send_request = kind & 0x40;
    d->options.common.report_unmatched = kind & 0x40;
    d->options.all_commands = kind & 0x20;
    log_in(d, kind & 0x1f);
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
    mysql_look(input);
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
