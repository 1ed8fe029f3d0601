// SPDX-License-Identifier: Apache-2.0
#include "hypertext/http_shown.h"

/* With its size, which tells most names apart. */
struct word {
    const char *text;
    size_t size;
};

#define WORD(text_) {.text = text_, .size = sizeof text_ - 1}

/* Names that are secrets as they are, and words that make one of any name that has them. */
static const struct word secret_names[] = {
    WORD("pass"), WORD("pwd"), WORD("auth"), WORD("authorization"), WORD("proxy-authorization"),
    WORD("cookie"), WORD("set-cookie"), WORD("sid"), WORD("sig"), WORD("jwt"), WORD("otp"),
    WORD("pin"), WORD("key"), WORD("phpsessid"), {0},
};
static const struct word secret_words[] = {
    WORD("passw"), WORD("secret"), WORD("token"), WORD("api_key"), WORD("api-key"),
    WORD("apikey"), WORD("credential"), WORD("signature"), WORD("session"), WORD("private_key"),
    WORD("access_key"), WORD("authenticat"), {0},
};

bool http_is_secret(struct span name, const struct http_shown *shown)
{
    for (size_t i = 0; i < shown->hide_keywords.count; i++) {
        if (http_equals(name, shown->hide_keywords.items[i])) {
            return true;
        }
    }
    if (!shown->redact_secrets) {
        return false;
    }
    for (const struct word *word = secret_names; word->text != NULL; word++) {
        if (name.size == word->size && http_equals(name, word->text)) {
            return true;
        }
    }
    for (const struct word *word = secret_words; word->text != NULL; word++) {
        if (name.size >= word->size && http_contains(name, word->text)) {
            return true;
        }
    }
    return false;
}

static bool is_among(struct span name, const struct text_list *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (http_equals(name, words->items[i])) {
            return true;
        }
    }
    return false;
}

bool http_is_sent(struct span name, const struct http_shown *shown)
{
    return shown->send_all_headers || is_among(name, &shown->send_headers);
}

static bool is_authorization(struct span name)
{
    return http_equals(name, "authorization") || http_equals(name, "proxy-authorization");
}

const char *http_redaction(struct span name, const struct http_shown *shown)
{
    if (shown->redact_authorization && is_authorization(name)) {
        return "*";
    }
    bool secret = is_among(name, &shown->redact_headers) ||
                  (shown->redact_secrets && http_is_secret(name, shown));
    return secret ? "REDACTED" : NULL;
}

static int sextet(uint8_t c)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != 0 ? strchr(letters, c) : NULL;
    return at != NULL ? (int)(at - letters) : -1;
}

struct span http_user_of(struct span authorization, struct http_text *to)
{
    const uint8_t *from = to->at;
    if (!http_equals(span_head(authorization, 6), "basic ")) {
        return span_of(from, 0);
    }
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 6; i < authorization.size && sextet(authorization.data[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)sextet(authorization.data[i]);
        count += 6;
        if (count >= 8) {
            count -= 8;
            uint8_t c = (uint8_t)(bits >> count);
            if (c == ':') { /* what follows is the password */
                return http_text_since(to, from);
            }
            http_put(to, c);
        }
    }
    return span_of(from, 0); /* without a colon it is no such thing */
}
