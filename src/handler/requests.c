// SPDX-License-Identifier: Apache-2.0
#include "handler/requests.h"

#include <ctype.h>
#include <stdio.h>

#include "base/address.h"

void requests_count(struct requests *to, const struct transaction *t, bool is_deep)
{
    to->count++;
    to->errors += t->status != TRANSACTION_OK;
    to->unanswered += t->reason != NULL;
    to->request_bytes += t->source_bytes;
    to->response_bytes += t->destination_bytes;
    if (is_deep && t->duration.present) {
        quantiles_add(&to->latency, (double)t->duration.value / 1000);
    }
}

const struct transaction *requests_event(const struct handler_event *event,
                                         const char *const *datasets)
{
    if (event->transaction == NULL) {
        return NULL;
    }
    for (; *datasets != NULL; datasets++) {
        if (strcmp(event->transaction->type->dataset, *datasets) == 0) {
            return (const struct transaction *)event->transaction;
        }
    }
    return NULL;
}

struct span requests_end(const struct handler_event *event, unsigned end, bool has_port,
                         char to[REQUESTS_END])
{
    bool has_brackets = has_port && event->version != 4;
    char *at = to;
    if (has_brackets) {
        *at++ = '[';
    }
    at = address_write(at, event->version, event->address[end]);
    if (has_port) {
        at += snprintf(at, (size_t)(to + REQUESTS_END - at), "%s:%u", has_brackets ? "]" : "",
                       event->port[end]);
    }
    return span_of(to, (size_t)(at - to));
}

/* Whether a text is this word, which is in lower case. */
static bool is_word(struct span text, struct span word)
{
    size_t i = 0;
    while (i < word.size && tolower(text.data[i]) == word.data[i]) {
        i++;
    }
    return i == word.size;
}

static bool ends_in(struct span name, struct span suffix)
{
    if (name.size < suffix.size || suffix.size == 0) {
        return false;
    }
    size_t before = name.size - suffix.size;
    bool begins = before == 0 || suffix.data[0] == '.' || name.data[before - 1] == '.';
    return begins && is_word(span_skip(name, before), suffix);
}

bool requests_has_suffix(const struct handler_words *suffixes, struct span name)
{
    for (size_t i = 0; i < suffixes->count; i++) {
        if (ends_in(name, span_str(suffixes->words[i]))) {
            return true;
        }
    }
    return suffixes->count == 0;
}
