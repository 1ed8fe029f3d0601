// SPDX-License-Identifier: Apache-2.0
#include "api/get_summary.h"

#include "api/board_json.h"
#include "base/text.h"

enum { SUMMARY_TOP = 20 };

static bool read_top(const char *text, void *values)
{
    int64_t top;
    if (!text_parse_number(text, &top) || top < 0 || top > BOARD_JSON_TOP_MAX) {
        return false;
    }
    ((struct board_json_options *)values)->top = (unsigned)top;
    return true;
}

static bool read_seconds(const char *text, void *values)
{
    int64_t seconds;
    if (!text_parse_number(text, &seconds) || seconds < 1 || seconds > BOARD_HISTORY) {
        return false;
    }
    ((struct board_json_options *)values)->seconds = (uint32_t)seconds;
    return true;
}

const struct parameter get_summary_parameters[] = {
    {"top", "a whole number from 0 to 100", "items of each top-N, 20 if not given", read_top},
    {0},
};

const struct parameter get_summary_history_parameters[] = {
    {"seconds", "a whole number from 1 to 300", "how many of the latest, 300 if not given",
     read_seconds},
    {0},
};

void get_summary(struct exchange *x)
{
    struct board_json_options options = {.top = SUMMARY_TOP, .window = true};
    if (!parameters_read(x, get_summary_parameters, &options)) {
        return;
    }
    board_json(engine_lock(x->service->engine), options, &x->body);
    engine_unlock(x->service->engine);
}

void get_summary_history(struct exchange *x)
{
    struct board_json_options options = {.seconds = BOARD_HISTORY};
    if (!parameters_read(x, get_summary_history_parameters, &options)) {
        return;
    }
    json_object_begin(&x->body);
    json_key(&x->body, "seconds");
    board_json_seconds(engine_lock(x->service->engine), options.seconds, &x->body);
    engine_unlock(x->service->engine);
    json_object_end(&x->body);
}
