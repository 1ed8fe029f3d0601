// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/beat_keystore.h"

static struct nodes tree;
static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/keystore-XXXXXX",
             getenv("TMPDIR") != NULL && strlen(getenv("TMPDIR")) < 40 ? getenv("TMPDIR") : "/tmp");
    snprintf(path, sizeof path, "%s/k", mkdtemp(folder));
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    node_done(&tree);
    return 0;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct err err = {0};
    struct node *secrets = beat_keystore_read(&tree, path, true, &err);
    assert_non_null(secrets); /* there is none yet: nobody is refused */
    assert_null(secrets->first);
    node_append_named(secrets, span_str("ES_PWD"), node_new(&tree, NODE_TEXT, span_str("s\"e${c}ret")));
    node_append_named(secrets, span_str("empty"), node_new(&tree, NODE_TEXT, span_str("")));
    assert_true(beat_keystore_write(path, secrets, &err));
    struct node *again = beat_keystore_read(&tree, path, true, &err);
    assert_non_null(again);
    assert_true(node_is(node_member(again, span_str("ES_PWD")), "s\"e${c}ret"));
    assert_true(node_is(node_member(again, span_str("empty")), ""));
}

static void others_may_not_read_it(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(chmod(path, 0644), 0);
    assert_null(beat_keystore_read(&tree, path, true, &err));
    assert_non_null(strstr(err.text, "chmod 600"));
    err = (struct err){0};
    assert_non_null(beat_keystore_read(&tree, path, false, &err));
}

/* Each byte of it that is another one is noticed. */
static void broken_ones_are_refused(void **state)
{
    (void)state;
    char text[1024];
    FILE *file = fopen(path, "r");
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    for (size_t i = 0; i + 4 < size; i += 17) {
        struct err err = {0};
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        file = fopen(path, "w");
        fwrite(text, 1, i % 2 == 0 ? size : i, file);
        fclose(file);
        assert_null(beat_keystore_read(&tree, path, false, &err));
        assert_int_equal(err.code, ERR_FAILED);
        text[i] = was;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(others_may_not_read_it),
        cmocka_unit_test(broken_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
