// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/key_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct place {
    char folder[64];
    char path[80];
    struct key_file *file;
};

/* Appends a secret of the connection whose random is all `digit`, with or without the line's end. */
static void write_secret(const char *path, char digit, const char *end)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    char text[97] = {0};
    memset(text, digit, 96);
    fprintf(file, "CLIENT_RANDOM %.64s %s%s", text, text, end);
    assert_int_equal(fclose(file), 0);
}

static bool knows(const struct place *p, char digit)
{
    uint8_t random[KEY_LOG_RANDOM];
    struct span secret;
    memset(random, (digit - '0') * 0x11, sizeof random);
    const struct key_log_query query = {.random = random, .label = KEY_LOG_MASTER};
    return key_log_find(key_file_log(p->file), &query, &secret);
}

static struct place *place_new(void)
{
    struct place *p = calloc(1, sizeof *p);
    struct err err = {0};
    snprintf(p->folder, sizeof p->folder, "/tmp/vantage-keys-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/keys", p->folder);
    write_secret(p->path, '1', "\n");
    p->file = key_file_open(p->path, true, 1, &err);
    assert_non_null(p->file);
    return p;
}

static void place_free(struct place *p)
{
    char old[96];
    snprintf(old, sizeof old, "%s.old", p->path);
    key_file_close(p->file);
    unlink(p->path);
    unlink(old);
    rmdir(p->folder);
    free(p);
}

static void is_read_as_it_grows(void **state)
{
    (void)state;
    struct place *p = place_new();
    assert_true(knows(p, '1'));
    write_secret(p->path, '2', "");
    key_file_poll(p->file);
    assert_false(knows(p, '2')); /* the line goes on, perhaps */
    write_secret(p->path, '3', "\n");
    key_file_poll(p->file);
    assert_false(knows(p, '2')); /* two in a line are none */
    write_secret(p->path, '4', "\n");
    key_file_poll(p->file);
    assert_true(knows(p, '4'));
    place_free(p);
}

static void is_read_anew_when_it_is_cut(void **state)
{
    (void)state;
    struct place *p = place_new();
    write_secret(p->path, '2', "\n");
    key_file_poll(p->file);
    assert_int_equal(truncate(p->path, 0), 0);
    write_secret(p->path, '3', "\n");
    key_file_poll(p->file);
    assert_true(knows(p, '1') && knows(p, '2') && knows(p, '3'));
    place_free(p);
}

static void is_followed_to_another_file(void **state)
{
    (void)state;
    struct place *p = place_new();
    char old[96];
    snprintf(old, sizeof old, "%s.old", p->path);
    assert_int_equal(rename(p->path, old), 0);
    write_secret(old, '2', "\n"); /* whoever has it open writes on */
    key_file_poll(p->file);
    assert_true(knows(p, '2'));
    write_secret(old, '3', "\n");
    write_secret(p->path, '4', "\n");
    key_file_poll(p->file);
    assert_true(knows(p, '1') && knows(p, '3') && knows(p, '4'));
    write_secret(p->path, '5', "\n");
    key_file_poll(p->file);
    assert_true(knows(p, '5'));
    place_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_grows),
        cmocka_unit_test(is_read_anew_when_it_is_cut),
        cmocka_unit_test(is_followed_to_another_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
