// SPDX-License-Identifier: Apache-2.0
/* Short texts in a slab that many hold at once and few of which differ, such as the users of a million
 * connections to databases: one copy of each, which counts its holders. A table of SLAB_TEXT_LISTS lists
 * stands in the slab while there is any text. To keep and to give cost a hash and at most SLAB_TEXT_LOOK
 * steps; a text that lies deeper in its list gets a second copy. One thread. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

enum { SLAB_TEXT_MAX = 255, SLAB_TEXT_LISTS = 509, SLAB_TEXT_LOOK = 16 };

struct slab_text; /* opaque: a text that is kept */

/* The text, cut at SLAB_TEXT_MAX bytes; give it back. NULL: it is empty, or there is no memory. */
struct slab_text *slab_text_keep(struct slab *slab, struct span text);
/* What it says, empty for NULL; as long as it is held. */
struct span slab_text_span(const struct slab_text *text);
/* NULL is fine. */
void slab_text_give(struct slab *slab, struct slab_text *text);
