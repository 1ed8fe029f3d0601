// SPDX-License-Identifier: Apache-2.0
/* setup.template.* and setup.ilm.*: what is put into a cluster before the first document. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/beat_core.h"
#include "engine/index_template.h"

/* A file as text; NULL and an error when it cannot be read. */
static const char *read_text(struct beat_reading *r, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        beat_refuse(r, NULL, "%s cannot be read", path);
        return NULL;
    }
    char *text = node_allocate(r->tree, CONFIG_FILE_MAX + 1);
    size_t size = fread(text, 1, CONFIG_FILE_MAX, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static const char *versioned(struct beat_reading *r, const struct node *map, const char *path)
{
    static const char part[] = "%{[agent.version]}";
    const char *text = beat_text(r, map, path, "packetbeat-%{[agent.version]}");
    const char *at = strstr(text, part);
    struct span full = at == NULL ? span_str(text)
                                  : node_format(r->tree, "%.*s%s%s", (int)(at - text), text,
                                                BEAT_VERSION, at + sizeof part - 1);
    return config_text(r->config, (const char *)full.data);
}

/* Returns whether it may be put there. */
static bool read_policy(struct beat_reading *r, struct sink_cluster *c)
{
    static const char *const switches[] = {"true", "false", "auto", NULL};
    const struct node *map = beat_take(r, r->root, "setup.ilm");
    const char *enabled = beat_word(r, map, "enabled", switches);
    const char *name = beat_text(r, map, "policy_name", "packetbeat");
    const char *file = beat_text(r, map, "policy_file", NULL);
    bool may_look = beat_flag(r, map, "check_exists", true);
    c->policy_overwrite = beat_flag(r, map, "overwrite", false);
    if (strcmp(enabled, "false") == 0) {
        return false;
    }
    c->policy_name = config_text(r->config, name);
    const char *text = file != NULL ? read_text(r, file) : index_template_policy;
    c->policy_text = text != NULL ? text : "{}";
    return may_look;
}

static const char *own_template(struct beat_reading *r, const struct node *map,
                                const struct sink_cluster *c)
{
    struct node *settings = beat_take(r, map, "settings");
    if (settings != NULL) {
        beat_use_all(settings);
    }
    const char *pattern = versioned(r, map, "pattern");
    bool is_open = pattern[0] != '\0' && pattern[strlen(pattern) - 1] == '*';
    struct span all = node_format(r->tree, "%s%s", pattern, is_open ? "" : "*");
    struct index_template options = {
        .pattern = (const char *)all.data,
        .beat = "packetbeat",
        .version = BEAT_VERSION,
        .policy = c->policy_name[0] != '\0' ? c->policy_name : NULL,
        .settings = settings,
    };
    struct json text;
    json_init(&text);
    index_template_write(&text, &options);
    struct span copy = node_copy(r->tree, span_of(text.data, text.size));
    json_done(&text);
    return (const char *)copy.data;
}

void beat_read_setup(struct beat_reading *r, struct sink_cluster *c)
{
    const struct node *map = beat_take(r, r->root, "setup.template");
    c->policy_name = c->policy_text = "";
    c->template_name = c->template_text = "";
    bool enabled = beat_flag(r, map, "enabled", true);
    bool is_file = beat_flag(r, map, "json.enabled", false);
    const char *file = beat_text(r, map, "json.path", NULL);
    const char *file_name = beat_text(r, map, "json.name", NULL);
    c->template_overwrite = beat_flag(r, map, "overwrite", false);
    (void)beat_flag(r, map, "json.data_stream", false); /* it stands in the file */
    bool puts_policy = read_policy(r, c);
    const char *name = versioned(r, map, "name");
    const char *text = is_file && file != NULL ? read_text(r, file) : own_template(r, map, c);
    c->policy_name = puts_policy ? c->policy_name : ""; /* the template names it all the same */
    if (enabled && text != NULL) {
        c->template_name = is_file && file_name != NULL ? config_text(r->config, file_name) : name;
        c->template_text = text;
    }
}
