// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_text.h"

enum { KEY_MAX = 250, LOOK_MAX = 2048, WORD_MAX = 16, DATA_MAX = 1 << 30 };

enum word_flags {
    DATA = 1,      /* as many bytes as it says follow */
    QUIETABLE = 2, /* `noreply` may stand at its end */
    SHARED = 4,    /* others say the same words */
    META = 8,
    MORE = 16, /* lines up to END belong to it */
    END = 32,
    QUIT = 64,
    WATCH = 128,
};

/* A word that begins a line. Its arguments are a letter each:
 *   k key, K keys, f flags, e exptime, b bytes, c cas, d delta, s and t slab classes, u
 * microseconds, v verbosity, a automove, r any, m meta flags, S a statistic, x an error's text, V a
 * version; those behind ? may be left out. */
struct word {
    const char *name;
    const char *arguments;
    uint8_t type;
    uint8_t fault;
    uint8_t flags;
};

static const struct word requests[] = {
    {"get", "K", MEMCACHE_LOAD, 0, SHARED},
    {"gets", "K", MEMCACHE_LOAD, 0, 0},
    {"gat", "eK", MEMCACHE_LOAD, 0, 0},
    {"gats", "eK", MEMCACHE_LOAD, 0, 0},
    {"set", "kfeb", MEMCACHE_STORE, 0, DATA | QUIETABLE},
    {"add", "kfeb", MEMCACHE_STORE, 0, DATA | QUIETABLE},
    {"replace", "kfeb", MEMCACHE_STORE, 0, DATA | QUIETABLE},
    {"append", "kfeb", MEMCACHE_STORE, 0, DATA | QUIETABLE},
    {"prepend", "kfeb", MEMCACHE_STORE, 0, DATA | QUIETABLE},
    {"cas", "kfebc", MEMCACHE_STORE, 0, DATA | QUIETABLE},
    {"incr", "kd", MEMCACHE_COUNTER, 0, QUIETABLE},
    {"decr", "kd", MEMCACHE_COUNTER, 0, QUIETABLE},
    {"touch", "ke", MEMCACHE_STORE, 0, QUIETABLE | SHARED},
    {"delete", "k?e", MEMCACHE_DELETE, 0, QUIETABLE | SHARED},
    {"flush_all", "?e", MEMCACHE_DELETE, 0, QUIETABLE},
    {"slabs reassign", "st", MEMCACHE_SLABS, 0, 0},
    {"slabs automove", "a", MEMCACHE_SLABS, 0, 0},
    {"lru_crawler enable", "", MEMCACHE_CRAWLER, 0, 0},
    {"lru_crawler disable", "", MEMCACHE_CRAWLER, 0, 0},
    {"lru_crawler sleep", "u", MEMCACHE_CRAWLER, 0, 0},
    {"lru_crawler tocrawl", "r", MEMCACHE_CRAWLER, 0, 0},
    {"lru_crawler crawl", "r", MEMCACHE_CRAWLER, 0, 0},
    {"lru_crawler metadump", "r", MEMCACHE_CRAWLER, 0, 0},
    {"lru", "r", MEMCACHE_CRAWLER, 0, SHARED},
    {"stats", "r", MEMCACHE_STATS, 0, SHARED},
    {"cache_memlimit", "v", MEMCACHE_INFO, 0, QUIETABLE},
    {"verbosity", "v", MEMCACHE_INFO, 0, QUIETABLE},
    {"version", "", MEMCACHE_INFO, 0, SHARED},
    {"watch", "r", MEMCACHE_INFO, 0, SHARED | WATCH},
    {"shutdown", "r", MEMCACHE_INFO, 0, SHARED | QUIT},
    {"quit", "", MEMCACHE_INFO, 0, SHARED | QUIT},
    {"config get", "r", MEMCACHE_INFO, 0, SHARED}, /* of ElastiCache */
    {"mg", "km", MEMCACHE_LOAD, 0, META},
    {"ms", "kbm", MEMCACHE_STORE, 0, META | DATA},
    {"md", "km", MEMCACHE_DELETE, 0, META},
    {"ma", "km", MEMCACHE_COUNTER, 0, META},
    {"me", "km", MEMCACHE_INFO, 0, SHARED | META},
    {"mn", "", MEMCACHE_INFO, 0, META},
    {0},
};

static const struct word responses[] = {
    {"VALUE", "kfb?c", MEMCACHE_LOAD, 0, DATA | MORE},
    {"END", "", MEMCACHE_LOAD, 0, END},
    {"STORED", "", MEMCACHE_SUCCESS, 0, 0},
    {"NOT_STORED", "", MEMCACHE_FAIL, MEMCACHE_FAILED, 0},
    {"EXISTS", "", MEMCACHE_FAIL, MEMCACHE_FAILED, SHARED},
    {"NOT_FOUND", "", MEMCACHE_FAIL, MEMCACHE_FAILED, SHARED},
    {"TOUCHED", "", MEMCACHE_SUCCESS, 0, SHARED},
    {"DELETED", "", MEMCACHE_SUCCESS, 0, SHARED},
    {"OK", "", MEMCACHE_SUCCESS, 0, SHARED},
    {"RESET", "", MEMCACHE_SUCCESS, 0, SHARED},
    {"ERROR", "x", MEMCACHE_FAIL, MEMCACHE_FAILED, SHARED},
    {"CLIENT_ERROR", "x", MEMCACHE_FAIL, MEMCACHE_CLIENTS, 0},
    {"SERVER_ERROR", "x", MEMCACHE_FAIL, MEMCACHE_SERVERS, 0},
    {"BUSY", "x", MEMCACHE_FAIL, MEMCACHE_SERVERS, SHARED},
    {"BADCLASS", "x", MEMCACHE_FAIL, MEMCACHE_SERVERS, 0},
    {"NOSPARE", "x", MEMCACHE_FAIL, MEMCACHE_SERVERS, 0},
    {"NOTFULL", "x", MEMCACHE_FAIL, MEMCACHE_SERVERS, 0},
    {"UNSAFE", "x", MEMCACHE_FAIL, MEMCACHE_SERVERS, 0},
    {"SAME", "x", MEMCACHE_FAIL, MEMCACHE_CLIENTS, SHARED},
    {"STAT", "S", MEMCACHE_STATS, 0, MORE},
    {"ITEM", "r", MEMCACHE_STATS, 0, SHARED | MORE},
    {"PREFIX", "r", MEMCACHE_STATS, 0, SHARED | MORE},
    {"CONFIG", "kfb", MEMCACHE_INFO, 0, SHARED | DATA | MORE},
    {"VERSION", "V", MEMCACHE_INFO, 0, 0},
    {"HD", "m", MEMCACHE_SUCCESS, 0, META},
    {"VA", "bm", MEMCACHE_LOAD, 0, META | DATA},
    {"EN", "m", MEMCACHE_LOAD, 0, META},
    {"NF", "m", MEMCACHE_FAIL, MEMCACHE_FAILED, SHARED | META},
    {"NS", "m", MEMCACHE_FAIL, MEMCACHE_FAILED, SHARED | META},
    {"EX", "m", MEMCACHE_FAIL, MEMCACHE_FAILED, SHARED | META},
    {"MN", "", MEMCACHE_SUCCESS, 0, META},
    {"ME", "r", MEMCACHE_INFO, 0, SHARED | META},
    {0},
};

/* ---- Words ---------------------------------------------------------------------------------- */

struct reader {
    struct slab *slab;
    struct memcache_message *message;
    const struct word *word;
    struct span rest; /* of the line */
};

static struct span skip_blanks(struct span s)
{
    while (s.size > 0 && *s.data == ' ') {
        s = span_skip(s, 1);
    }
    return s;
}

/* The next word, taken off the line; empty at its end. */
static struct span take_word(struct span *rest)
{
    *rest = skip_blanks(*rest);
    const uint8_t *end = rest->size > 0 ? memchr(rest->data, ' ', rest->size) : NULL;
    struct span word = span_head(*rest, end != NULL ? (size_t)(end - rest->data) : rest->size);
    *rest = span_skip(*rest, word.size);
    return word;
}

/* The row whose name, of one word or two, stands at the beginning of a line. */
static const struct word *find(const struct word *table, struct span line, struct span *rest)
{
    for (const struct word *w = table; w->name != NULL; w++) {
        size_t size = strlen(w->name);
        bool begins = line.size >= size && memcmp(line.data, w->name, size) == 0;
        if (begins && (line.size == size || line.data[size] == ' ')) {
            *rest = span_skip(line, size);
            return w;
        }
    }
    return NULL;
}

/* ---- Arguments ------------------------------------------------------------------------------ */

static bool read_number(struct span word, bool may_be_negative, uint64_t *ret)
{
    bool negative = may_be_negative && word.size > 1 && *word.data == '-';
    struct span digits = span_skip(word, negative ? 1 : 0);
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        uint8_t digit = (uint8_t)(digits.data[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    *ret = negative ? -value : value;
    return digits.size > 0;
}

static bool take_number(struct reader *r, enum memcache_number number, bool may_be_negative)
{
    uint64_t value;
    bool good = read_number(take_word(&r->rest), may_be_negative, &value);
    if (good) {
        memcache_put(r->message, number, value);
    }
    return good;
}

static bool take_key(struct reader *r)
{
    struct span word = take_word(&r->rest);
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] <= ' ' || word.data[i] == 0x7f) {
            return false;
        }
    }
    bool good = word.size > 0 && word.size <= KEY_MAX;
    if (good) {
        memcache_item_add(r->slab, r->message, MEMCACHE_ITEM_KEY, word);
    }
    return good;
}

static bool take_keys(struct reader *r)
{
    bool good = true;
    do {
        good = take_key(r);
        r->rest = skip_blanks(r->rest);
    } while (good && r->rest.size > 0);
    return good;
}

/* Sizes add up where a response has several values. */
static bool take_size(struct reader *r, uint64_t *size)
{
    uint64_t before = r->message->number[MEMCACHE_BYTES];
    if (!take_number(r, MEMCACHE_BYTES, false)) {
        return false;
    }
    *size = r->message->number[MEMCACHE_BYTES];
    memcache_put(r->message, MEMCACHE_BYTES, before + *size);
    memcache_put(r->message, MEMCACHE_COUNT_VALUES, r->message->number[MEMCACHE_COUNT_VALUES] + 1);
    return *size <= DATA_MAX;
}

static bool take_automove(struct reader *r)
{
    static const char *const names[] = {"standby", "slow", "aggressive"};
    struct span word = take_word(&r->rest);
    uint64_t mode = 0;
    bool known = read_number(word, false, &mode) && mode < 3;
    memcache_item_add(r->slab, r->message, MEMCACHE_ITEM_AUTOMOVE,
                      known ? span_str(names[mode]) : word);
    return word.size > 0;
}

static bool take_rest(struct reader *r, enum memcache_item_kind kind)
{
    memcache_item_add(r->slab, r->message, kind, skip_blanks(r->rest));
    r->rest = span_skip(r->rest, r->rest.size);
    return true;
}

static bool take_statistic(struct reader *r)
{
    struct span name = take_word(&r->rest);
    memcache_item_add(r->slab, r->message, MEMCACHE_ITEM_NAME, name);
    return name.size > 0 && take_rest(r, MEMCACHE_ITEM_STATISTIC);
}

/* One flag of a meta command or its response: a letter and what belongs to it. */
static void take_meta_flag(struct reader *r, struct span flag)
{
    static const struct {
        char letter;
        uint8_t number;
    } numbers[] = {{'F', MEMCACHE_FLAGS},   {'f', MEMCACHE_FLAGS},  {'T', MEMCACHE_EXPTIME},
                   {'t', MEMCACHE_EXPTIME}, {'C', MEMCACHE_CAS},    {'c', MEMCACHE_CAS},
                   {'D', MEMCACHE_DELTA},   {'J', MEMCACHE_INITIAL}};
    struct span value = span_skip(flag, 1);
    switch (*flag.data) {
    case 'q':
        r->message->is_quiet = true;
        return;
    case 'v':
        r->message->wants_value = true;
        return;
    case 'O':
        memcache_item_add(r->slab, r->message, MEMCACHE_ITEM_TAG, value);
        return;
    case 'k':
        if (value.size > 0) {
            memcache_item_add(r->slab, r->message, MEMCACHE_ITEM_KEY, value);
        }
        return;
    default:
        break;
    }
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t number;
        if (numbers[i].letter == (char)*flag.data && read_number(value, true, &number)) {
            memcache_put(r->message, numbers[i].number, number);
        }
    }
}

static bool take_meta_flags(struct reader *r)
{
    for (struct span flag = take_word(&r->rest); flag.size > 0; flag = take_word(&r->rest)) {
        bool is_letter = (*flag.data | 32) >= 'a' && (*flag.data | 32) <= 'z';
        if (!is_letter) {
            return false;
        }
        take_meta_flag(r, flag);
    }
    return true;
}

static bool take_argument(struct reader *r, char what, uint64_t *data_size)
{
    switch (what) {
    case 'k':
        return take_key(r);
    case 'K':
        return take_keys(r);
    case 'f':
        return take_number(r, MEMCACHE_FLAGS, false);
    case 'e':
        return take_number(r, MEMCACHE_EXPTIME, true);
    case 'b':
        return take_size(r, data_size);
    case 'c':
        return take_number(r, MEMCACHE_CAS, false);
    case 'd':
        return take_number(r, MEMCACHE_DELTA, false);
    case 's':
        return take_number(r, MEMCACHE_SOURCE_CLASS, true);
    case 't':
        return take_number(r, MEMCACHE_DEST_CLASS, true);
    case 'u':
        return take_number(r, MEMCACHE_SLEEP, false);
    case 'v':
        return take_number(r, MEMCACHE_VERBOSITY, false);
    case 'a':
        return take_automove(r);
    case 'm':
        return take_meta_flags(r);
    case 'S':
        return take_statistic(r);
    case 'x':
        return take_rest(r, MEMCACHE_ITEM_ERROR);
    case 'V':
        return take_rest(r, MEMCACHE_ITEM_VERSION);
    default:
        return take_rest(r, MEMCACHE_ITEM_ARGUMENTS);
    }
}

static bool is_at_no_reply(struct span rest)
{
    return span_equal(take_word(&rest), span_str("noreply")) && skip_blanks(rest).size == 0;
}

static bool take_arguments(struct reader *r, uint64_t *data_size)
{
    bool optional = false;
    for (const char *a = r->word->arguments; *a != '\0'; a++) {
        if (*a == '?') {
            optional = true;
            continue;
        }
        r->rest = skip_blanks(r->rest);
        if (optional && (r->rest.size == 0 || is_at_no_reply(r->rest))) {
            break;
        }
        if (!take_argument(r, *a, data_size)) {
            return false;
        }
    }
    if (r->word->flags & QUIETABLE && is_at_no_reply(r->rest)) {
        r->message->no_reply = true;
        return true;
    }
    return skip_blanks(r->rest).size == 0;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static struct memcache_line line_of(const struct word *word, uint64_t data_size)
{
    return (struct memcache_line){
        .kind = word->flags & DATA ? MEMCACHE_LINE_DATA : MEMCACHE_LINE_ALONE,
        .data_size = data_size,
        .is_more = word->flags & MORE,
        .is_end = word->flags & END,
    };
}

struct memcache_line memcache_text_request(struct slab *slab, struct memcache_message *m,
                                           struct span line)
{
    struct reader r = {.slab = slab, .message = m};
    r.word = find(requests, line, &r.rest);
    if (r.word == NULL) {
        return (struct memcache_line){0};
    }
    m->command = r.word->name;
    m->type = r.word->type;
    m->is_meta = r.word->flags & META;
    m->is_quit = r.word->flags & QUIT;
    m->is_watch = r.word->flags & WATCH;
    m->may_be_mute = r.word->flags & QUIETABLE;
    uint64_t data_size = 0;
    if (!take_arguments(&r, &data_size)) {
        return (struct memcache_line){0};
    }
    return line_of(r.word, data_size);
}

/* What incr and decr are answered with: digits, and blanks where the number became shorter. */
static struct memcache_line read_counter(struct memcache_message *m, struct span line)
{
    uint64_t value;
    if (!read_number(take_word(&line), false, &value) || skip_blanks(line).size > 0) {
        return (struct memcache_line){0};
    }
    m->type = MEMCACHE_COUNTER;
    m->is_reply_of_counter = true;
    memcache_put(m, MEMCACHE_VALUE, value);
    return (struct memcache_line){.kind = MEMCACHE_LINE_ALONE};
}

struct memcache_line memcache_text_response(struct slab *slab, struct memcache_message *m,
                                            struct span line)
{
    struct reader r = {.slab = slab, .message = m};
    r.word = find(responses, line, &r.rest);
    bool is_dumped = line.size > 4 && memcmp(line.data, "key=", 4) == 0;
    if (r.word == NULL && is_dumped) { /* lru_crawler metadump */
        m->type = MEMCACHE_CRAWLER;
        return (struct memcache_line){.kind = MEMCACHE_LINE_ALONE, .is_more = true};
    }
    if (r.word == NULL) {
        return read_counter(m, line);
    }
    if (m->command == NULL) {
        m->command = r.word->name;
        m->type = r.word->type;
    }
    m->fault = r.word->fault;
    m->is_meta = r.word->flags & META;
    uint64_t data_size = 0;
    if (!take_arguments(&r, &data_size)) {
        return (struct memcache_line){0};
    }
    return line_of(r.word, data_size);
}

/* ---- Looks ---------------------------------------------------------------------------------- */

static bool begins_word(const struct word *table, struct span data)
{
    for (const struct word *w = table; w->name != NULL; w++) {
        size_t size = strlen(w->name);
        size_t known = data.size < size ? data.size : size;
        if (memcmp(data.data, w->name, known) == 0 &&
            (data.size <= size || data.data[size] == ' ' || data.data[size] == '\r')) {
            return true;
        }
    }
    return false;
}

static bool is_text(struct span data)
{
    for (size_t i = 0; i < data.size; i++) {
        if ((data.data[i] < ' ' && data.data[i] != '\r') || data.data[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

/* A whole line. Redis takes `get key`, but not with several keys. */
static enum memcache_look look_at(struct span line)
{
    struct memcache_message m = {0};
    struct span rest;
    const struct word *word = find(requests, line, &rest);
    if (word != NULL && memcache_text_request(NULL, &m, line).kind != MEMCACHE_LINE_BAD) {
        bool several = word == &requests[0] &&
                       memchr(skip_blanks(rest).data, ' ', skip_blanks(rest).size) != NULL;
        return word->flags & SHARED && !several ? MEMCACHE_LOOKS_LIKE : MEMCACHE_LOOKS_REQUEST;
    }
    m = (struct memcache_message){0};
    word = find(responses, line, &rest);
    if (word != NULL && memcache_text_response(NULL, &m, line).kind != MEMCACHE_LINE_BAD) {
        return word->flags & SHARED ? MEMCACHE_LOOKS_LIKE : MEMCACHE_LOOKS_RESPONSE;
    }
    return MEMCACHE_LOOKS_ELSE;
}

/* The beginning of a line that is too long for all but those that ask for many keys. */
static enum memcache_look look_at_long(struct span head)
{
    const uint8_t *blank = memrchr(head.data, ' ', head.size);
    struct span words = span_head(head, blank != NULL ? (size_t)(blank - head.data) : 0);
    struct span rest;
    const struct word *word = find(requests, words, &rest);
    bool has_keys = word != NULL && strchr(word->arguments, 'K') != NULL;
    return has_keys && is_text(head) && look_at(words) == MEMCACHE_LOOKS_REQUEST
               ? MEMCACHE_LOOKS_REQUEST
               : MEMCACHE_LOOKS_ELSE;
}

enum memcache_look memcache_text_look(struct span data)
{
    struct span head = span_head(data, LOOK_MAX);
    const uint8_t *end = head.size > 0 ? memchr(head.data, '\n', head.size) : NULL;
    if (end == NULL && head.size == LOOK_MAX) {
        return look_at_long(head);
    }
    if (end == NULL) {
        bool may = is_text(head) &&
                   (begins_word(requests, head) || begins_word(responses, head));
        return may ? MEMCACHE_LOOKS_CUT : MEMCACHE_LOOKS_ELSE;
    }
    size_t size = (size_t)(end - head.data);
    if (size == 0 || head.data[size - 1] != '\r' || !is_text(span_head(head, size - 1))) {
        return MEMCACHE_LOOKS_ELSE;
    }
    return look_at(span_head(head, size - 1));
}
