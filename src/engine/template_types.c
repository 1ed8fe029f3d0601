// SPDX-License-Identifier: Apache-2.0
#include "engine/template_types.h"

#include <stdio.h>
#include <string.h>

#include "engine/beat_fields.h"
#include "engine/flow_event.h"
#include "engine/health_event.h"
#include "engine/health_flat.h"
#include "proto/proto.h"

enum { PATH_ROOM = 256 };

struct walk {
    template_types_visit *visit;
    void *context;
};

static const char *named(const char *path)
{
    for (const struct beat_field *field = beat_fields; field->name != NULL; field++) {
        if (strcmp(field->name, path) == 0) {
            return field->type;
        }
    }
    return NULL;
}

static const char *by_kind(enum event_kind kind)
{
    switch (kind) {
    case EVENT_BOOL:
    case EVENT_TRUTH:
        return "boolean";
    case EVENT_U8:
    case EVENT_U16:
    case EVENT_U32:
    case EVENT_U64:
    case EVENT_I64:
    case EVENT_OPTIONAL:
    case EVENT_U16_LIST:
        return "long";
    case EVENT_TIME:
        return "date";
    case EVENT_ADDRESS:
    case EVENT_ADDRESSES:
        return "ip";
    case EVENT_NUMBER:
        return "double";
    case EVENT_MAC:
    case EVENT_SPAN:
    case EVENT_TEXT:
    case EVENT_INLINE:
    case EVENT_SPANS:
        return "keyword";
    case EVENT_PAIRS:
    case EVENT_ITEMS:
        return "object";
    case EVENT_JSON:
    case EVENT_VALUE:
        return NULL;
    }
    return NULL;
}

const char *template_types_of(const struct event_field *field, const char *path)
{
    const char *type = named(path);
    if (type == NULL && field->item != NULL) {
        return "object";
    }
    return type != NULL ? type : by_kind(field->kind);
}

static void walk_type(const struct walk *walk, const struct event_type *type, const char *prefix)
{
    struct event_walk fields = event_walk_of(type);
    for (const struct event_field *f; (f = event_walk_next(&fields)) != NULL;) {
        char path[PATH_ROOM];
        snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", f->name);
        walk->visit(walk->context, path, template_types_of(f, path));
        if (f->item != NULL) {
            walk_type(walk, f->item, path);
        }
    }
}

void template_types_walk(template_types_visit *visit, void *context)
{
    static const struct event_type *const own[] = {&flow_event_type, &health_event_type,
                                                   &health_flat_type};
    const struct walk walk = {.visit = visit, .context = context};
    for (const struct beat_field *field = beat_fields; field->name != NULL; field++) {
        visit(context, field->name, field->type);
    }
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        walk_type(&walk, own[i], "");
    }
    for (const struct proto *const *proto = protos; *proto != NULL; proto++) {
        const struct event_type *const *type = (*proto)->events;
        for (; type != NULL && *type != NULL; type++) {
            walk_type(&walk, *type, "");
        }
    }
}
