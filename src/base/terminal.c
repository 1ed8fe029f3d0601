// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { WIDTH_LEAST = 20, WIDTH_MOST = 1000 };

/* A variable's value; one that is set to nothing counts as not set. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* The size that the terminal tells; zeros where there is none. */
static struct winsize size_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size : (struct winsize){0};
}

static unsigned width_of(const struct winsize *size)
{
    int64_t columns = size->ws_col;
    const char *text = variable("COLUMNS");
    if (columns == 0 && (text == NULL || !text_parse_number(text, &columns))) {
        return TERMINAL_WIDTH;
    }
    return columns < WIDTH_LEAST  ? WIDTH_LEAST
           : columns > WIDTH_MOST ? WIDTH_MOST
                                  : (unsigned)columns;
}

/* The variables in the order of setlocale(3), which we do not call: our numbers keep their point. */
static bool is_utf8(void)
{
    const char *locale = variable("LC_ALL");
    locale = locale != NULL ? locale : variable("LC_CTYPE");
    locale = locale != NULL ? locale : variable("LANG");
    return locale != NULL &&
           (strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "UTF8") != NULL);
}

struct terminal terminal_of(FILE *stream)
{
    int fd = fileno(stream); /* -1 for a stream in memory, which is no terminal */
    const char *term = variable("TERM");
    struct winsize size = size_of(fd);
    bool moves = fd >= 0 && isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
    return (struct terminal){
        .is_terminal = fd >= 0 && isatty(fd),
        .colour = moves && variable("NO_COLOR") == NULL,
        .unicode = is_utf8(),
        .moves = moves,
        .width = width_of(&size),
        .height = size.ws_row != 0 ? size.ws_row : TERMINAL_HEIGHT,
    };
}

const char *terminal_style(const struct terminal *terminal, enum terminal_style style)
{
    static const char *const escapes[] = {
        [TERMINAL_PLAIN] = "\033[0m",  [TERMINAL_BOLD] = "\033[1m",  [TERMINAL_DIM] = "\033[2m",
        [TERMINAL_GOOD] = "\033[32m",  [TERMINAL_WARN] = "\033[33m", [TERMINAL_BAD] = "\033[31m",
        [TERMINAL_ACCENT] = "\033[36m",
    };
    return terminal->colour ? escapes[style] : "";
}
