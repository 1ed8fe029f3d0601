// SPDX-License-Identifier: Apache-2.0
#include "event/expression.h"

#include <stdio.h>
#include <stdlib.h>

enum { POSIX_MAX = 4000, TEXT_MAX = 1 << 20, ON_STACK = 1024 };

/* A pattern on its way to POSIX. */
struct translation {
    struct span rest;
    char *to; /* of POSIX_MAX */
    size_t size;
    bool in_set;
    unsigned groups; /* the user's */
    unsigned posix_groups;
    int flags;
    const char *fault;
    struct expression *expression;
};

static bool fail(struct translation *t, const char *fault)
{
    t->fault = fault;
    return false;
}

static bool add(struct translation *t, const char *text, size_t size)
{
    if (t->size + size >= POSIX_MAX) {
        return fail(t, "it is too long");
    }
    memcpy(t->to + t->size, text, size);
    t->size += size;
    return true;
}

static bool add_text(struct translation *t, const char *text)
{
    return add(t, text, strlen(text));
}

static bool begins(struct span text, const char *with)
{
    return span_equal(span_head(text, strlen(with)), span_str(with));
}

/* ---- Escapes ---------------------------------------------------------------------------------- */

/* Outside of sets, and within them; NULL: not there. */
struct class {
    char letter;
    const char *outside;
    const char *inside;
};

static const struct class classes[] = {
    {'d', "[0-9]", "0-9"},
    {'D', "[^0-9]", NULL},
    {'w', "[0-9A-Za-z_]", "0-9A-Za-z_"},
    {'W', "[^0-9A-Za-z_]", NULL},
    {'s', "[ \t\n\f\r]", " \t\n\f\r"},
    {'S', "[^ \t\n\f\r]", NULL},
    {'b', "\\b", NULL},
    {'B', "\\B", NULL},
    {'A', "^", NULL},
    {'z', "$", NULL},
    {'n', "\n", "\n"},
    {'t', "\t", "\t"},
    {'r', "\r", "\r"},
    {'f', "\f", "\f"},
    {'v', "\v", "\v"},
};

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool escape(struct translation *t)
{
    if (t->rest.size < 2) {
        return fail(t, "it ends with a backslash");
    }
    char c = (char)t->rest.data[1];
    t->rest = span_skip(t->rest, 2);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const char *text = t->in_set ? classes[i].inside : classes[i].outside;
        if (classes[i].letter == c && text != NULL) {
            return add_text(t, text);
        }
    }
    if (is_word((uint8_t)c)) {
        return fail(t, "it has an escape that is not supported");
    }
    if (!t->in_set) {
        return add(t, (char[]){'\\', c}, 2);
    }
    bool has_meaning = strchr("]^-[", c) != NULL;
    return has_meaning ? add(t, (char[]){'[', '.', c, '.', ']'}, 5) : add(t, &c, 1);
}

/* ---- Sets ------------------------------------------------------------------------------------- */

static bool open_set(struct translation *t)
{
    size_t size = begins(t->rest, "[^") ? 2 : 1;
    size += span_skip(t->rest, size).size > 0 && t->rest.data[size] == ']'; /* a ] as its first */
    bool is_good = add(t, (const char *)t->rest.data, size);
    t->rest = span_skip(t->rest, size);
    t->in_set = true;
    return is_good;
}

static bool within_set(struct translation *t)
{
    char c = (char)t->rest.data[0];
    if (c == '\\') {
        return escape(t);
    }
    const uint8_t *close = begins(t->rest, "[:") ? memmem(t->rest.data, t->rest.size, ":]", 2) : NULL;
    size_t size = close != NULL ? (size_t)(close + 2 - t->rest.data) : 1;
    bool is_good = c == '[' && close == NULL ? add_text(t, "[.[.]")
                                             : add(t, (const char *)t->rest.data, size);
    t->in_set = c != ']';
    t->rest = span_skip(t->rest, size);
    return is_good;
}

/* ---- Groups and quantifiers ------------------------------------------------------------------- */

/* (?i) and (?s), at the very beginning. */
static void take_flags(struct translation *t)
{
    size_t size = 2;
    while (size < t->rest.size && (t->rest.data[size] == 'i' || t->rest.data[size] == 's')) {
        size++;
    }
    if (begins(t->rest, "(?") && size > 2 && size < t->rest.size && t->rest.data[size] == ')') {
        t->flags |= memchr(t->rest.data, 'i', size) != NULL ? REG_ICASE : 0;
        t->rest = span_skip(t->rest, size + 1);
    }
}

static bool open_group(struct translation *t)
{
    size_t size = 1;
    bool counts = true;
    if (begins(t->rest, "(?:")) {
        size = 3;
        counts = false;
    } else if (begins(t->rest, "(?P<") || begins(t->rest, "(?<")) {
        const uint8_t *close = memchr(t->rest.data, '>', t->rest.size);
        bool is_name = close != NULL && t->rest.size > 3 &&
                       is_word(t->rest.data[begins(t->rest, "(?P<") ? 4 : 3]);
        if (!is_name) {
            return fail(t, "it has a '(?' that is not supported");
        }
        size = (size_t)(close + 1 - t->rest.data);
    } else if (begins(t->rest, "(?")) {
        return fail(t, "it has a '(?' that is not supported");
    }
    t->posix_groups++;
    t->groups += counts;
    if (counts && t->groups < EXPRESSION_GROUPS) {
        t->expression->groups[t->groups] = (uint8_t)t->posix_groups;
    }
    t->rest = span_skip(t->rest, size);
    return add_text(t, "(");
}

static bool is_repeat(struct span rest)
{
    return *rest.data == '{' && rest.size > 1 && rest.data[1] >= '0' && rest.data[1] <= '9' &&
           memchr(rest.data, '}', rest.size) != NULL;
}

/* One quantifier, with what says that it is lazy. */
static bool quantify(struct translation *t)
{
    const uint8_t *close = *t->rest.data == '{' ? memchr(t->rest.data, '}', t->rest.size) : NULL;
    size_t size = close != NULL ? (size_t)(close + 1 - t->rest.data) : 1;
    bool is_good = add(t, (const char *)t->rest.data, size);
    t->rest = span_skip(t->rest, size);
    if (begins(t->rest, "?")) {
        t->expression->is_lazy = true;
        t->rest = span_skip(t->rest, 1);
    }
    return is_good;
}

static bool step(struct translation *t)
{
    char c = (char)t->rest.data[0];
    if (t->in_set) {
        return within_set(t);
    }
    switch (c) {
    case '\\':
        return escape(t);
    case '[':
        return open_set(t);
    case '(':
        return open_group(t);
    case '*':
    case '+':
    case '?':
        return quantify(t);
    case '{':
        if (is_repeat(t->rest)) {
            return quantify(t);
        }
        t->rest = span_skip(t->rest, 1);
        return add_text(t, "\\{");
    default:
        t->rest = span_skip(t->rest, 1);
        return add(t, &c, 1);
    }
}

/* ---- Making ----------------------------------------------------------------------------------- */

bool expression_make(struct expression *ret, struct span pattern, char *why, size_t room)
{
    char posix[POSIX_MAX];
    *ret = (struct expression){0};
    struct translation t = {.rest = pattern, .to = posix, .expression = ret, .flags = REG_EXTENDED};
    take_flags(&t);
    while (t.rest.size > 0 && t.fault == NULL) {
        (void)step(&t);
    }
    if (t.fault != NULL) {
        snprintf(why, room, "%s", t.fault);
        return false;
    }
    posix[t.size] = '\0';
    int fault = regcomp(&ret->regex, posix, t.flags);
    if (fault != 0) {
        regerror(fault, &ret->regex, why, room);
    }
    ret->is_made = fault == 0;
    return ret->is_made;
}

void expression_done(struct expression *expression)
{
    if (expression->is_made) {
        regfree(&expression->regex);
        expression->is_made = false;
    }
}

/* ---- Asking ----------------------------------------------------------------------------------- */

bool expression_matches(const struct expression *expression, struct span text)
{
    char copy[ON_STACK];
    char *all = text.size < sizeof copy ? copy : text.size <= TEXT_MAX ? malloc(text.size + 1) : NULL;
    if (all == NULL) {
        return false;
    }
    if (text.size > 0) {
        memcpy(all, text.data, text.size);
    }
    all[text.size] = '\0';
    bool is_match = regexec(&expression->regex, all, 0, NULL, 0) == 0;
    if (all != copy) {
        free(all);
    }
    return is_match;
}

/* ---- Replacing -------------------------------------------------------------------------------- */

static void put(struct json *to, const void *data, size_t size)
{
    if (size > 0) {
        json_append(to, data, size);
    }
}

/* A text and where its groups are in it. */
struct found {
    const struct expression *expression;
    struct span rest;
    regmatch_t places[EXPRESSION_GROUPS * 2];
};

static void add_group(struct json *to, const struct found *f, unsigned number)
{
    unsigned group = number < EXPRESSION_GROUPS ? f->expression->groups[number] : 0;
    if ((number > 0 && group == 0) || group >= EXPRESSION_GROUPS * 2) {
        return;
    }
    regmatch_t place = f->places[group];
    if (place.rm_so >= 0) {
        put(to, f->rest.data + place.rm_so, (size_t)(place.rm_eo - place.rm_so));
    }
}

/* The reference at the beginning of `rest`; its size, 0 when it is none. */
static size_t reference(struct span rest, unsigned *number)
{
    bool is_braced = begins(rest, "${");
    size_t at = is_braced ? 2 : 1;
    bool is_number = rest.size > at && rest.data[at] >= '0' && rest.data[at] <= '9';
    if (!is_number || (is_braced && (rest.size <= at + 1 || rest.data[at + 1] != '}'))) {
        return 0;
    }
    *number = (unsigned)(rest.data[at] - '0');
    return at + 1 + is_braced;
}

static void add_replacement(struct json *to, const struct found *f, struct span by)
{
    while (by.size > 0) {
        unsigned number = 0;
        size_t size = *by.data == '$' ? reference(by, &number) : 0;
        if (size > 0) {
            add_group(to, f, number);
        } else {
            size = begins(by, "$$") ? 2 : 1;
            put(to, by.data, 1);
        }
        by = span_skip(by, size);
    }
}

/* The next match in the rest of the text, which is not asked for its length each time. */
static bool find(struct found *f, int flags)
{
    f->places[0] = (regmatch_t){.rm_so = 0, .rm_eo = (regoff_t)f->rest.size};
    return regexec(&f->expression->regex, (const char *)f->rest.data,
                   sizeof f->places / sizeof *f->places, f->places, flags | REG_STARTEND) == 0;
}

void expression_replace(const struct expression *expression, struct json *to, struct span text,
                        struct span by)
{
    struct found f = {.expression = expression, .rest = text};
    int flags = 0;
    while (f.rest.data != NULL && f.rest.size <= TEXT_MAX && find(&f, flags)) {
        size_t end = (size_t)f.places[0].rm_eo;
        bool is_empty = f.places[0].rm_eo == f.places[0].rm_so;
        put(to, f.rest.data, (size_t)f.places[0].rm_so);
        add_replacement(to, &f, by);
        f.rest = span_skip(f.rest, end);
        if (is_empty && f.rest.size == 0) {
            return;
        }
        put(to, f.rest.data, is_empty);
        f.rest = span_skip(f.rest, is_empty);
        flags = REG_NOTBOL;
    }
    put(to, f.rest.data, f.rest.size);
}
