// SPDX-License-Identifier: Apache-2.0
/* Regular expressions as the users of Elastic's programs write them (RE2's syntax), matched by the C
 * library's POSIX extended ones, so that no pattern can make asking slow. \d \w \s and their opposites,
 * (?:…), (?P<name>…), \A, \z, escapes within sets and a leading (?i) or (?s) are put in its words; what
 * it has no words for is refused. Of alternatives the longest is found, not the first. Made once;
 * matching is pure. */
#pragma once

#include <regex.h>

#include "base/json.h"

enum { EXPRESSION_GROUPS = 10 };

struct expression {
    regex_t regex;
    bool is_made;
    bool is_lazy;                      /* it has quantifiers such as *?, which are taken as greedy */
    uint8_t groups[EXPRESSION_GROUPS]; /* the user's groups as POSIX counts them; 0: there is none */
};

/* Makes one; false, and in `why` a sentence without the pattern. */
bool expression_make(struct expression *ret, struct span pattern, char *why, size_t room);
void expression_done(struct expression *expression);

/* Whether a text has it. Memory only for texts beyond a KiB; none are read beyond 1 MiB. */
bool expression_matches(const struct expression *expression, struct span text);

/* Appends the text with every match replaced; $1 and ${1} stand for groups, $0 for all of the match, $$
 * for a dollar. What is longer than 1 MiB stays as it is. A NUL is to stand behind the text. */
void expression_replace(const struct expression *expression, struct json *to, struct span text,
                        struct span by);
