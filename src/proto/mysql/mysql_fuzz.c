// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte.
 * The script's flags say how both sides have logged in before. */
#include "proto/mysql/mysql_event.h"
#include "proto/mysql/mysql_look.h"
#include "proto/proto_stage.h"

extern const struct proto proto_mysql;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOGIN = 7, MIDWAY = 6, ALL_COMMANDS = 8, SHORT = 16 };

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

/* They have, in one of five ways; or it is met midway, at a command; or the script tells it. */
static void log_in(struct stage *s, uint8_t flags)
{
    char login[64];
    unsigned kind = flags & LOGIN;
    s->begins_whole = kind == 0 || kind > MIDWAY; /* amid rows only many bytes tell */
    if (kind == MIDWAY) {
        stage_say(s, 0, span_of("\7\0\0\0\3do 'a'", 11), SIZE_MAX);
    } else if (kind > 0 && kind < MIDWAY) {
        stage_say(s, 1, span_of(greeting, sizeof greeting - 1), SIZE_MAX);
        stage_say(s, 0, write_login(login, kind - 1), SIZE_MAX);
        stage_say(s, 1, span_of(login_ok, sizeof login_ok - 1), SIZE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct mysql_options *options = stage_options(&proto_mysql, input);
    options->all_commands = script_flags(input) & ALL_COMMANDS;
    options->max_message_size = script_flags(input) & SHORT ? 24 : options->max_message_size;
    mysql_look(input);
    stage_play_twice(&proto_mysql, options, input, log_in, NULL);
    return 0;
}
