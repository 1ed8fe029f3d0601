// SPDX-License-Identifier: Apache-2.0
#include "cmd/packetbeat_config.h"

#include <stdio.h>

struct beat_arguments packetbeat_arguments(const struct arguments *a)
{
    static const char *const usual[] = {"packetbeat.yml"};
    size_t files, settings;
    const char *const *file = arguments_list(a, "c", &files);
    const char *const *setting = arguments_list(a, "E", &settings);
    return (struct beat_arguments){
        .source =
            {
                .files = files > 0 ? file : usual,
                .file_count = files > 0 ? files : 1,
                .settings = setting,
                .setting_count = settings,
                .home = arguments_string(a, "path.home"),
                .config = arguments_string(a, "path.config"),
                .data = arguments_string(a, "path.data"),
                .logs = arguments_string(a, "path.logs"),
                .strict_permissions = arguments_flag(a, "strict.perms"),
            },
        .capture = arguments_string(a, "I"),
        .hostname = arguments_string(a, "hostname"),
        .top_speed = arguments_flag(a, "t"),
        .steps = arguments_flag(a, "O"),
        .publishes = !arguments_flag(a, "N"),
    };
}

struct beat_config *packetbeat_config(const struct arguments *a)
{
    struct err err = {0};
    struct beat_arguments said = packetbeat_arguments(a);
    struct beat_config *beat = beat_config_new(&said, &err);
    if (beat == NULL) {
        fprintf(stderr, "vantage packetbeat: %s\n", err.text);
        return NULL;
    }
    for (size_t i = 0; i < beat->warnings.count; i++) {
        fprintf(stderr, "vantage packetbeat: %s\n", beat->warnings.items[i]);
    }
    return beat;
}
