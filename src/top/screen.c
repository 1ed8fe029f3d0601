// SPDX-License-Identifier: Apache-2.0
#include "top/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "top/view.h"

enum { ESCAPE_MS = 25, KEYS_ROOM = 64 };

/* The second screen, no cursor, no wrapping of lines; and back. */
static const char enter_text[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_text[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

static struct {
    struct termios before;
    volatile sig_atomic_t is_open;
    volatile sig_atomic_t is_ended;
    volatile sig_atomic_t is_changed;
    unsigned char keys[KEYS_ROOM];
    size_t key_count;
} screen;

/* ---- Signals ------------------------------------------------------------------------------------ */

static void restore(void)
{
    if (screen.is_open) {
        screen.is_open = 0;
        ssize_t written = write(STDOUT_FILENO, leave_text, sizeof leave_text - 1);
        (void)written;
        tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
    }
}

static void on_end(int signal)
{
    screen.is_ended = signal;
}

static void on_change(int signal)
{
    screen.is_changed = signal;
}

/* A crash: the handler is gone already (SA_RESETHAND), so the signal comes again and does its work. */
static void on_crash(int signal)
{
    restore();
    raise(signal);
}

static void set_raw(void)
{
    struct termios raw = screen.before;
    cfmakeraw(&raw);
    raw.c_oflag = screen.before.c_oflag;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* Ctrl-Z comes as a byte in raw mode; this is for SIGCONT after a SIGSTOP from elsewhere. */
static void on_continue(int signal)
{
    if (screen.is_open) {
        set_raw();
        ssize_t written = write(STDOUT_FILENO, enter_text, sizeof enter_text - 1);
        (void)written;
    }
    screen.is_changed = signal;
}

static void watch(const int *signals, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    for (; *signals != 0; signals++) {
        sigaction(*signals, &action, NULL);
    }
}

/* ---- The device --------------------------------------------------------------------------------- */

bool screen_open(struct err *err)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, 0};
    static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, 0};
    static const int changes[] = {SIGWINCH, 0};
    static const int continues[] = {SIGCONT, 0};
    static const int pipes[] = {SIGPIPE, 0};
    if (tcgetattr(STDIN_FILENO, &screen.before) < 0) {
        return err_set(err, ERR_FAILED, "standard input is no terminal: %s; --once needs none",
                       strerror(errno));
    }
    watch(ends, on_end, 0);
    watch(changes, on_change, 0);
    watch(continues, on_continue, 0);
    watch(crashes, on_crash, (int)(SA_RESETHAND | SA_NODEFER));
    watch(pipes, SIG_IGN, 0);
    screen.is_open = 1;
    set_raw();
    ssize_t written = write(STDOUT_FILENO, enter_text, sizeof enter_text - 1);
    (void)written;
    return true;
}

void screen_close(void)
{
    restore();
}

bool screen_is_ended(void)
{
    return screen.is_ended != 0;
}

bool screen_is_changed(void)
{
    bool changed = screen.is_changed != 0;
    screen.is_changed = 0;
    return changed;
}

void screen_write(const struct json *bytes)
{
    size_t at = 0;
    while (at < bytes->size && screen.is_ended == 0) {
        ssize_t n = write(STDOUT_FILENO, bytes->data + at, bytes->size - at);
        if (n < 0 && errno != EINTR) {
            screen.is_ended = SIGHUP; /* nobody looks any more */
        }
        at += n > 0 ? (size_t)n : 0;
    }
}

/* ---- Keys --------------------------------------------------------------------------------------- */

/* Sequences behind ESC [ or ESC O. */
struct sequence {
    const char *text;
    unsigned key;
};

static const struct sequence sequences[] = {
    {"A", VIEW_UP},       {"B", VIEW_DOWN},      {"C", VIEW_RIGHT}, {"D", VIEW_LEFT},
    {"H", VIEW_HOME},     {"F", VIEW_END},       {"1~", VIEW_HOME}, {"4~", VIEW_END},
    {"7~", VIEW_HOME},    {"8~", VIEW_END},      {"5~", VIEW_PAGE_UP}, {"6~", VIEW_PAGE_DOWN},
    {"Z", VIEW_TAB_BACK},
};

static bool can_read(int ms)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&wait, 1, ms) > 0;
}

static void fill(int ms)
{
    if (screen.key_count < KEYS_ROOM && can_read(ms)) {
        ssize_t n = read(STDIN_FILENO, screen.keys + screen.key_count,
                         KEYS_ROOM - screen.key_count);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
            screen.is_ended = SIGHUP; /* the terminal has gone */
        }
        screen.key_count += n > 0 ? (size_t)n : 0;
    }
}

static void drop(size_t count)
{
    screen.key_count -= count;
    memmove(screen.keys, screen.keys + count, screen.key_count);
}

/* A sequence that begins with ESC; a lone ESC is the key. */
static unsigned escape_key(void)
{
    if (screen.key_count == 1) {
        fill(ESCAPE_MS);
    }
    if (screen.key_count < 2 || (screen.keys[1] != '[' && screen.keys[1] != 'O')) {
        drop(1);
        return VIEW_ESCAPE;
    }
    size_t end = 2;
    while (end < screen.key_count && (screen.keys[end] < 0x40 || screen.keys[end] > 0x7e)) {
        end++;
    }
    size_t size = end < screen.key_count ? end + 1 : screen.key_count;
    unsigned key = 0;
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        size_t n = strlen(sequences[i].text);
        if (size == n + 2 && memcmp(screen.keys + 2, sequences[i].text, n) == 0) {
            key = sequences[i].key;
        }
    }
    drop(size);
    return key;
}

unsigned screen_key(void)
{
    fill(0);
    while (screen.key_count > 0) {
        unsigned key = screen.keys[0];
        if (key == VIEW_ESCAPE) {
            key = escape_key();
        } else {
            drop(1);
        }
        if (key != 0) {
            return key == '\b' ? VIEW_BACKSPACE : key;
        }
    }
    return 0;
}
