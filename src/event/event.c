// SPDX-License-Identifier: Apache-2.0
#include "event/event.h"

#include "base/json.h"
#include "event/event_writer.h"

struct event_walk event_walk_of(const struct event_type *type)
{
    return (struct event_walk){.own = type->fields, .common = type->common};
}

const struct event_field *event_walk_next(struct event_walk *walk)
{
    const struct event_field *common = walk->common;
    bool has_common = common != NULL && common->name != NULL;
    if (walk->own->name == NULL) {
        return has_common ? walk->common++ : NULL;
    }
    return has_common && strcmp(common->name, walk->own->name) < 0 ? walk->common++ : walk->own++;
}

void event_json_without(struct json *to, const struct event_head *event, unsigned flags)
{
    struct event_writer *writer = event_writer_new(flags);
    if (writer == NULL) {
        to->failed = true;
        return;
    }
    event_writer_put(writer, to, event);
    event_writer_free(writer);
}

void event_json(struct json *to, const struct event_head *event)
{
    event_json_without(to, event, 0);
}
