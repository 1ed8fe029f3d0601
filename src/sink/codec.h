// SPDX-License-Identifier: Apache-2.0
/* How a sink that writes lines writes them: as they come, over several lines for people, with HTML's
 * characters escaped, or in a shape of the user's own (event/pattern.h). As they come costs nothing;
 * all else reads each event once more. The output thread only. */
#pragma once

#include "base/json.h"
#include "base/node.h"
#include "sink/sink.h"

struct codec {
    bool pretty;
    bool escape_html;
    const char *format; /* NULL: JSON; the configuration's */
    struct nodes tree;
    struct json text;
};

void codec_init(struct codec *codec, const struct sink_options *options);
void codec_done(struct codec *codec);

/* Lines of JSON as they are to be written; what it returns is valid until the next call. A line to
 * which the user's shape does not apply, for want of a field, is left out. */
struct span codec_apply(struct codec *codec, struct span lines);
