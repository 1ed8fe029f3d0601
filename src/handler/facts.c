// SPDX-License-Identifier: Apache-2.0
#include "handler/facts.h"

static const struct event_field *find_in(const struct event_field *fields, const char *name)
{
    for (; fields != NULL && fields->name != NULL; fields++) {
        if (strcmp(fields->name, name) == 0) {
            return fields;
        }
    }
    return NULL;
}

const struct event_field *const *facts_find(struct facts *facts, const char *const *names,
                                            const struct event_head *event)
{
    uint32_t place = 0;
    while (place < FACTS_TYPES - 1 && facts->known[place].type != NULL &&
           facts->known[place].type != event->type) {
        place++;
    }
    const struct event_type *type = event->type;
    if (facts->known[place].type != type) {
        facts->known[place].type = type;
        for (uint32_t i = 0; i < FACTS_MAX && names[i] != NULL; i++) {
            const struct event_field *own = find_in(type->fields, names[i]);
            facts->known[place].fields[i] = own != NULL ? own : find_in(type->common, names[i]);
        }
    }
    return facts->known[place].fields;
}

static const void *at(const struct event_head *event, const struct event_field *field)
{
    return (const uint8_t *)event + field->offset;
}

struct span facts_text(const struct event_head *event, const struct event_field *field)
{
    const char *text = NULL;
    if (field == NULL) {
        return span_str("");
    }
    switch (field->kind) {
    case EVENT_SPAN:
        return *(const struct span *)at(event, field);
    case EVENT_TEXT:
        text = *(const char *const *)at(event, field);
        break;
    case EVENT_INLINE:
        text = at(event, field);
        break;
    default:
        break;
    }
    return span_str(text != NULL ? text : "");
}

uint64_t facts_number(const struct event_head *event, const struct event_field *field)
{
    if (field == NULL) {
        return 0;
    }
    switch (field->kind) {
    case EVENT_BOOL:
    case EVENT_TRUTH:
    case EVENT_U8:
        return *(const uint8_t *)at(event, field);
    case EVENT_U16:
        return *(const uint16_t *)at(event, field);
    case EVENT_U32:
        return *(const uint32_t *)at(event, field);
    case EVENT_U64:
    case EVENT_TIME:
        return *(const uint64_t *)at(event, field);
    default:
        return 0;
    }
}
