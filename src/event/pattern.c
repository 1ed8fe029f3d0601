// SPDX-License-Identifier: Apache-2.0
#include "event/pattern.h"

#include "base/node_json.h"

enum { DATE_SIZE = 19 /* 2026-11-20T23:58:49 */ };

/* One part: what stands between %{ and }. */
struct part {
    struct span field;     /* of %{[field]} */
    struct span otherwise; /* data NULL: none */
    struct span date;      /* of %{+date} */
    size_t size;           /* of it all */
};

static bool read_field(struct span inner, struct part *ret)
{
    const uint8_t *close = memchr(inner.data, ']', inner.size);
    if (close == NULL) {
        return false;
    }
    ret->field = span_of(inner.data + 1, (size_t)(close - inner.data - 1));
    struct span rest = span_skip(inner, (size_t)(close + 1 - inner.data));
    if (rest.size > 0) {
        ret->otherwise = span_skip(rest, 1);
    }
    return ret->field.size > 0 && (rest.size == 0 || *rest.data == ':');
}

static bool read_part(const char *text, struct part *ret)
{
    *ret = (struct part){0};
    const char *end = strchr(text, '}');
    if (end == NULL) {
        return false;
    }
    ret->size = (size_t)(end + 1 - text);
    struct span inner = span_of(text + 2, (size_t)(end - text - 2));
    if (inner.size == 0) {
        return false;
    }
    if (*inner.data == '+') {
        ret->date = span_skip(inner, 1);
        return ret->date.size > 0;
    }
    return *inner.data == '[' && read_field(inner, ret);
}

bool pattern_varies(const char *text)
{
    return strstr(text, "%{") != NULL;
}

bool pattern_check(const char *text, struct err *err)
{
    for (const char *at = text; (at = strstr(at, "%{")) != NULL;) {
        struct part part;
        if (!read_part(at, &part)) {
            return err_set(err, ERR_USAGE,
                           "'%s': what begins with %%{ is %%{[field]}, %%{[field]:otherwise} or "
                           "%%{+yyyy.MM.dd}",
                           text);
        }
        at += part.size;
    }
    return true;
}

/* Letters of Joda time that name a part of 2026-11-20T23:58:49, with where it stands. */
struct date_part {
    const char *letters;
    uint8_t at;
    uint8_t size;
};

static const struct date_part dates[] = {
    {"yyyy", 0, 4}, {"YYYY", 0, 4}, {"xxxx", 0, 4}, {"yy", 2, 2}, {"MM", 5, 2},
    {"dd", 8, 2},   {"HH", 11, 2},  {"mm", 14, 2},  {"ss", 17, 2},
};

static void write_date(struct json *to, struct span format, struct span time)
{
    while (format.size > 0) {
        size_t size = 1;
        struct span piece = span_head(format, 1);
        for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
            size_t letters = strlen(dates[i].letters);
            if (span_equal(span_head(format, letters), span_str(dates[i].letters))) {
                size = letters;
                piece = span_of(time.data + dates[i].at, dates[i].size);
                break;
            }
        }
        json_append(to, piece.data, piece.size);
        format = span_skip(format, size);
    }
}

static bool write_part(struct json *to, const struct part *part, const struct node *event)
{
    if (part->date.size > 0) {
        const struct node *time = node_find(event, span_str("@timestamp"));
        if (time == NULL || time->text.size < DATE_SIZE) {
            return false;
        }
        write_date(to, part->date, time->text);
        return true;
    }
    const struct node *node = node_find(event, part->field);
    if (node == NULL || node->kind == NODE_NULL) {
        json_append(to, part->otherwise.data, part->otherwise.size);
        return part->otherwise.data != NULL;
    }
    if (node_is_scalar(node)) {
        json_append(to, node->text.data, node->text.size);
    } else {
        node_json_write(to, node);
    }
    return true;
}

bool pattern_write(struct json *to, const char *text, const struct node *event)
{
    for (;;) {
        const char *next = strstr(text, "%{");
        json_append(to, text, next != NULL ? (size_t)(next - text) : strlen(text));
        if (next == NULL) {
            return true;
        }
        struct part part;
        if (!read_part(next, &part) || !write_part(to, &part, event)) {
            return false;
        }
        text = next + part.size;
    }
}
