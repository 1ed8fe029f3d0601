// SPDX-License-Identifier: Apache-2.0
#include "engine/beat_types.h"

#include "engine/host_facts.h"

struct processors *beat_processors(struct beat_reading *r, const struct node *list)
{
    struct err err = {0};
    struct node *ignored = node_new(r->tree, NODE_LIST, (struct span){0});
    struct processor_facts facts = host_facts(r->tree);
    struct processors *processors = processors_new(list, &facts, ignored, &err);
    if (processors == NULL) {
        beat_refuse(r, NULL, "%s:%s", beat_source_file(&r->arguments->source, list), err.text);
        return NULL;
    }
    for (const struct node *name = ignored->first; name != NULL; name = name->next) {
        beat_warn(r, "processor %.*s is not available: events pass as they are",
                  (int)name->text.size, name->text.data);
    }
    return processors;
}

bool beat_read_type(struct beat_reading *r, const char *type, struct node *map)
{
    if (r->beat->type_count == BEAT_TYPES_MAX) {
        return beat_refuse(r, map, "more than %d protocols", BEAT_TYPES_MAX);
    }
    struct beat_type *to = &r->types[r->beat->type_count];
    *to = (struct beat_type){
        .type = type,
        .index = beat_text(r, map, "index", NULL),
        .tags = beat_list(r, map, "tags"),
        .fields_under_root = beat_flag(r, map, "fields_under_root", false),
    };
    (void)beat_flag(r, map, "keep_null", false); /* no event has null values */
    struct node *fields = beat_take(r, map, "fields");
    if (fields != NULL && !beat_is_map(r, fields, "fields")) {
        return false;
    }
    if (fields != NULL) {
        beat_use_all(fields);
        to->fields = fields;
    }
    struct node *list = beat_take(r, map, "processors");
    if (list != NULL) {
        beat_use_all(list);
        to->processors = beat_processors(r, list);
        if (to->processors == NULL) {
            return false;
        }
    }
    r->beat->type_count++;
    return true;
}
