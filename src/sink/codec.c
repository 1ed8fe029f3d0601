// SPDX-License-Identifier: Apache-2.0
#include "sink/codec.h"

#include "base/node_json.h"
#include "event/pattern.h"

void codec_init(struct codec *codec, const struct sink_options *options)
{
    bool has_format = options->format != NULL && options->format[0] != '\0';
    *codec = (struct codec){
        .pretty = options->pretty,
        .escape_html = options->escape_html,
        .format = has_format ? options->format : NULL,
    };
    json_init(&codec->text);
}

void codec_done(struct codec *codec)
{
    node_done(&codec->tree);
    json_done(&codec->text);
}

static void write_line(struct codec *codec, struct span line)
{
    size_t start = codec->text.size;
    node_reset(&codec->tree);
    struct node *event = node_json_parse(&codec->tree, line);
    bool is_written = event != NULL;
    if (event == NULL) { /* deeper than a document may be: as it is */
        json_append(&codec->text, line.data, line.size);
    } else if (codec->format != NULL) {
        is_written = pattern_write(&codec->text, codec->format, event);
    } else if (codec->pretty) {
        node_json_pretty(&codec->text, event);
    } else {
        node_json_write(&codec->text, event);
    }
    if (codec->format != NULL && !is_written) {
        codec->text.size = start;
        return;
    }
    if (codec->escape_html && codec->format == NULL) {
        node_json_escape_html(&codec->text, start);
    }
    json_append(&codec->text, "\n", 1);
}

struct span codec_apply(struct codec *codec, struct span lines)
{
    if (!codec->pretty && !codec->escape_html && codec->format == NULL) {
        return lines;
    }
    json_reset(&codec->text);
    while (lines.size > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        size_t size = end != NULL ? (size_t)(end - lines.data) : lines.size;
        write_line(codec, span_head(lines, size));
        lines = span_skip(lines, size + 1);
    }
    return span_of(codec->text.data, codec->text.size);
}
