// SPDX-License-Identifier: Apache-2.0
/* Events between the encoder and the outputs, where somebody wants them changed: a dialect that puts
 * more around them, processors, whose connection it is. Then each is encoded, read as a tree, changed and written again;
 * otherwise there is no shaper, and nothing is done twice. The output's thread only. */
#pragma once

#include "base/json.h"
#include "engine/config.h"
#include "event/event.h"

struct shaper; /* opaque */

/* Whether a configuration asks for one. */
bool shaper_is_wanted(const struct config *config);

/* NULL and err when the processors are no good. `config` is to outlive it. */
struct shaper *shaper_new(const struct config *config, struct err *err);
void shaper_free(struct shaper *shaper);

/* Appends an event, changed, as one JSON object. False when it was dropped; nothing was appended. */
bool shaper_write(struct shaper *shaper, struct json *to, const struct event_head *event);

/* Events that processors dropped. */
uint64_t shaper_dropped(const struct shaper *shaper);
