// SPDX-License-Identifier: Apache-2.0
#include "engine/health_desk.h"

#include <stdlib.h>

struct health_desk {
    struct health_list *list;
    struct health_roll *roll;
    struct health_paths *paths;
    struct places *places;
};

static bool make(struct health_desk *desk, const struct health_desk_options *options,
                 struct err *err)
{
    const struct config *config = options->config;
    struct places_options places = {
        .zones = &config->zones, .city = config->geo.city, .owner = config->geo.owner};
    desk->places = places_new(&places, err);
    desk->paths = health_paths_new(options->is_live);
    desk->list = options->list > 0 ? health_list_new(options->list) : NULL;
    desk->roll = options->roll > 0 ? health_roll_new(options->roll) : NULL;
    if (desk->places == NULL) {
        return false;
    }
    bool is_whole = desk->paths != NULL && (desk->list != NULL || options->list == 0) &&
                    (desk->roll != NULL || options->roll == 0);
    return is_whole || err_set(err, ERR_FAILED, "out of memory for TCP connections");
}

struct health_desk *health_desk_new(const struct health_desk_options *options, struct err *err)
{
    struct health_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    if (!make(desk, options, err)) {
        health_desk_free(desk);
        return NULL;
    }
    return desk;
}

void health_desk_free(struct health_desk *desk)
{
    if (desk != NULL) {
        health_list_free(desk->list);
        health_roll_free(desk->roll);
        health_paths_free(desk->paths);
        places_free(desk->places);
        free(desk);
    }
}

bool health_desk_refresh(struct health_desk *desk, char *note, size_t size)
{
    return desk != NULL && places_refresh(desk->places, note, size);
}

void health_desk_take(struct health_desk *desk, struct health_event *event)
{
    const struct flow_event *flow = &event->flow;
    health_event_finish(event);
    places_find(desk->places, flow->source.version, flow->source.bytes, &event->client);
    places_find(desk->places, flow->destination.version, flow->destination.bytes, &event->server);
    if (desk->list != NULL) {
        health_list_add(desk->list, event);
    }
    if (desk->roll != NULL) {
        health_roll_add(desk->roll, event);
    }
    if (flow->final) {
        health_paths_add(desk->paths, event);
    }
}

struct health_list *health_desk_list(struct health_desk *desk)
{
    return desk->list;
}

struct health_roll *health_desk_roll(struct health_desk *desk)
{
    return desk->roll;
}

struct health_paths *health_desk_paths(struct health_desk *desk)
{
    return desk->paths;
}
