// SPDX-License-Identifier: Apache-2.0
#include "tap/capture_secrets.h"

#include <stdlib.h>

struct head {
    uint64_t since_ns;
    uint64_t size; /* of the text behind it */
};

static bool reserve(struct capture_secrets *secrets, size_t more)
{
    size_t wanted = secrets->size + more;
    if (wanted <= secrets->room) {
        return true;
    }
    if (wanted > CAPTURE_SECRETS_MAX) {
        return false;
    }
    uint8_t *grown = realloc(secrets->bytes, 2 * wanted);
    if (grown == NULL) {
        return false;
    }
    secrets->bytes = grown;
    secrets->room = 2 * wanted;
    return true;
}

static void put(struct capture_secrets *secrets, const void *bytes, size_t size)
{
    if (size > 0) {
        memcpy(secrets->bytes + secrets->size, bytes, size);
        secrets->size += size;
    }
}

bool capture_secrets_begin(struct capture_secrets *secrets, uint64_t since_ns)
{
    const struct head head = {.since_ns = since_ns};
    if (!reserve(secrets, sizeof head)) {
        return false;
    }
    secrets->last = secrets->size;
    put(secrets, &head, sizeof head);
    secrets->is_open = true;
    return true;
}

void capture_secrets_add(struct capture_secrets *secrets, struct span text)
{
    if (!secrets->is_open || !reserve(secrets, text.size)) {
        return;
    }
    struct head head;
    memcpy(&head, secrets->bytes + secrets->last, sizeof head);
    head.size += text.size;
    memcpy(secrets->bytes + secrets->last, &head, sizeof head);
    put(secrets, text.data, text.size);
}

void capture_secrets_end(struct capture_secrets *secrets)
{
    secrets->is_open = false;
}

bool capture_secrets_next(struct capture_secrets *secrets, struct span *text, uint64_t *since_ns)
{
    if (secrets->at == secrets->size) {
        secrets->at = secrets->size = secrets->last = 0;
        return false;
    }
    if (secrets->is_open && secrets->at == secrets->last) {
        return false;
    }
    struct head head;
    memcpy(&head, secrets->bytes + secrets->at, sizeof head);
    *text = span_of(secrets->bytes + secrets->at + sizeof head, (size_t)head.size);
    *since_ns = head.since_ns;
    secrets->at += sizeof head + (size_t)head.size;
    return true;
}

void capture_secrets_move(struct capture_secrets *to, struct capture_secrets *from)
{
    struct span text;
    uint64_t since_ns;
    while (capture_secrets_next(from, &text, &since_ns)) {
        if (capture_secrets_begin(to, since_ns)) {
            capture_secrets_add(to, text);
            capture_secrets_end(to);
        }
    }
}

void capture_secrets_done(struct capture_secrets *secrets)
{
    free(secrets->bytes);
    *secrets = (struct capture_secrets){0};
}
