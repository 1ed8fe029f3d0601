// SPDX-License-Identifier: Apache-2.0
/* Elasticsearch's bulk API, versions 7 to 9, and OpenSearch's: what is said and what is answered. Pure. */
#pragma once

#include "base/json.h"
#include "base/node.h"

/* Where documents go. */
struct elastic_bulk_target {
    const char *index;    /* event/pattern.h */
    const char *pipeline; /* NULL or empty: none; likewise a pattern */
};

/* Appends an event, one line without its end, as an action and a document; @metadata goes from the
 * document to the action. False when it cannot be said where it goes. `scratch` is reset. */
bool elastic_bulk_add(struct json *body, struct span line, const struct elastic_bulk_target *target,
                      struct nodes *scratch);

enum elastic_verdict {
    ELASTIC_TAKEN,   /* indexed, or there already */
    ELASTIC_AGAIN,   /* not now: 429, 5xx */
    ELASTIC_REFUSED, /* never: its mapping, its index */
};

/* What became of each document of a bulk request, in its order; at most `most`. Returns how many the
 * answer speaks of, -1 when it is no such answer. The reason of the first refusal goes to `why`. */
int elastic_bulk_answer(struct span answer, enum elastic_verdict *ret, uint32_t most,
                        struct nodes *scratch, char *why, size_t why_size);
