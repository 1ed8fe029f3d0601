// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <cmocka.h>

/* The near end of a pseudo-terminal of 100 columns, or NULL where there are none. */
static FILE *open_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        return NULL;
    }
    struct winsize size = {.ws_row = 24, .ws_col = 100};
    FILE *stream = fopen(ptsname(master), "w");
    if (stream != NULL) {
        ioctl(fileno(stream), TIOCSWINSZ, &size);
    }
    return stream;
}

static void a_terminal_has_colour_and_width(void **state)
{
    FILE *stream = open_terminal();
    if (stream == NULL) {
        skip();
    }
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    struct terminal terminal = terminal_of(stream);
    assert_true(terminal.is_terminal);
    assert_true(terminal.colour);
    assert_int_equal(terminal.width, 100);
    assert_int_equal(terminal.height, 24);
    assert_true(terminal.moves);
    assert_string_equal(terminal_style(&terminal, TERMINAL_BAD), "\033[31m");
    setenv("TERM", "dumb", 1);
    assert_false(terminal_of(stream).colour);
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    terminal = terminal_of(stream);
    assert_false(terminal.colour);
    assert_true(terminal.moves);
    assert_string_equal(terminal_style(&terminal, TERMINAL_BAD), "");
    fclose(stream);
}

static void a_file_has_none(void **state)
{
    FILE *stream = tmpfile();
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    setenv("TERM", "xterm", 1);
    struct terminal terminal = terminal_of(stream);
    assert_false(terminal.is_terminal);
    assert_false(terminal.colour || terminal.moves);
    assert_int_equal(terminal.width, TERMINAL_WIDTH);
    setenv("COLUMNS", "132", 1);
    assert_int_equal(terminal_of(stream).width, 132);
    setenv("COLUMNS", "wide", 1);
    assert_int_equal(terminal_of(stream).width, TERMINAL_WIDTH);
    setenv("COLUMNS", "99999999", 1);
    assert_int_equal(terminal_of(stream).width, 1000);
    fclose(stream);
}

static void the_locale_tells_unicode(void **state)
{
    FILE *stream = tmpfile();
    setenv("LC_ALL", "C", 1);
    assert_false(terminal_of(stream).unicode);
    setenv("LC_ALL", "", 1);
    setenv("LC_CTYPE", "de_AT.utf8", 1);
    assert_true(terminal_of(stream).unicode);
    fclose(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_has_colour_and_width),
        cmocka_unit_test(a_file_has_none),
        cmocka_unit_test(the_locale_tells_unicode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
