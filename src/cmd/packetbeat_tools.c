// SPDX-License-Identifier: Apache-2.0
#include "cmd/packetbeat_tools.h"

#include <stdio.h>
#include <string.h>

#include "base/node_json.h"
#include "cmd/packetbeat_config.h"
#include "cmd/packetbeat_dashboards.h"
#include "cmd/packetbeat_export.h"
#include "cmd/packetbeat_keystore.h"
#include "cmd/packetbeat_run.h"
#include "cmd/usage.h"
#include "engine/index_template.h"
#include "event/beat.h"
#include "sink/elastic_check.h"
#include "tap/interfaces.h"

int packetbeat_devices(void)
{
    struct interfaces list;
    struct err err = {0};
    if (!interfaces_read(&list, &err)) {
        fprintf(stderr, "vantage packetbeat: %s\n", err.text);
        return (int)err.code;
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct interfaces_entry *entry = &list.entries[i];
        printf("%zu: %s (%s) (%s)\n", i, entry->name, interfaces_kind(entry->hardware),
               entry->addresses[0] != '\0' ? entry->addresses : "Not assigned ip address");
    }
    interfaces_done(&list);
    return ERR_NONE;
}

static int test_config(const struct arguments *a)
{
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    puts("Config OK");
    beat_config_free(beat);
    return ERR_NONE;
}

static bool is_secret(struct span name)
{
    static const char *const names[] = {"password", "api_key", "key_passphrase", "secret_token",
                                        "auth"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (span_equal(name, span_str(names[i]))) {
            return true;
        }
    }
    return false;
}

static void print_yaml(const struct node *node, int indent);

/* A scalar as JSON writes it, which YAML reads, too. */
static void print_scalar(const struct node *node)
{
    struct json text;
    json_init(&text);
    if (is_secret(node->name) && node->text.size > 0) {
        json_text(&text, "********");
    } else {
        node_json_write(&text, node);
    }
    printf(" %.*s\n", (int)text.size, text.data);
    json_done(&text);
}

static void print_value(const struct node *node, int indent)
{
    if (node_is_scalar(node) || node->first == NULL) {
        print_scalar(node);
        return;
    }
    putchar('\n');
    print_yaml(node, indent);
}

static void print_yaml(const struct node *node, int indent)
{
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        if (node->kind == NODE_MAP) {
            printf("%*s%.*s:", indent, "", (int)child->name.size, child->name.data);
        } else {
            printf("%*s-", indent, "");
        }
        print_value(child, indent + 2);
    }
}

static int export_config(const struct arguments *a)
{
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    print_yaml(beat->root, 0);
    beat_config_free(beat);
    return ERR_NONE;
}

/* The cluster that a configuration sends to, or NULL. */
static const struct sink_cluster *cluster_of(const struct beat_config *beat)
{
    const struct config *config = beat->config;
    bool is_cluster = config->output_count > 0 &&
                      strcmp(config->outputs[0].kind, "elasticsearch") == 0;
    return is_cluster ? &config->outputs[0].cluster : NULL;
}

/* What the configuration puts into a cluster; what Packetbeat's own would put, if it names none. */
static int export_text(const struct arguments *a, bool wants_policy)
{
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    const struct sink_cluster *cluster = cluster_of(beat);
    const char *text = cluster == NULL ? ""
                       : wants_policy  ? cluster->policy_text
                                       : cluster->template_text;
    struct json made;
    json_init(&made);
    if (text[0] == '\0' && !wants_policy) {
        struct index_template options = {
            .pattern = "packetbeat-" BEAT_VERSION "*",
            .beat = "packetbeat",
            .version = BEAT_VERSION,
            .policy = arguments_flag(a, "noilm") ? NULL : "packetbeat",
        };
        index_template_write(&made, &options);
    } else {
        const char *known = text[0] != '\0' ? text : index_template_policy;
        json_append(&made, known, strlen(known));
    }
    json_append(&made, "\n", 1);
    bool is_good = packetbeat_export_put(arguments_string(a, "dir"), wants_policy ? "policy" : "template",
                                         wants_policy ? "packetbeat.json"
                                                      : "packetbeat-" BEAT_VERSION ".json",
                                         span_of(made.data, made.size));
    json_done(&made);
    beat_config_free(beat);
    return is_good ? ERR_NONE : ERR_FAILED;
}

static int export_template(const struct arguments *a)
{
    return export_text(a, false);
}

static int export_policy(const struct arguments *a)
{
    return export_text(a, true);
}

/* Asks each host of the cluster who it is, or puts into it what it needs. */
static bool with_cluster(const struct beat_config *beat, bool sets_up)
{
    char said[1024] = "";
    struct err err = {0};
    const struct sink_cluster *cluster = cluster_of(beat);
    if (cluster == NULL) {
        fprintf(stderr, "vantage packetbeat: the configuration has no output.elasticsearch\n");
        return false;
    }
    bool is_good = elastic_check(cluster, sets_up, said, sizeof said, &err);
    fputs(said, stdout);
    if (err.code != ERR_NONE) {
        fprintf(stderr, "vantage packetbeat: %s\n", err.text);
    }
    return is_good;
}

static int test_output(const struct arguments *a)
{
    struct beat_config *beat = packetbeat_config(a);
    bool is_good = beat != NULL && with_cluster(beat, false);
    beat_config_free(beat);
    return is_good ? ERR_NONE : ERR_FAILED;
}

/* Whether dashboards are to be loaded; of a bare `setup`, where somebody said where Kibana is. */
static bool wants_dashboards(const struct arguments *a, const struct beat_kibana *kibana, bool is_bare)
{
    if (!is_bare || arguments_flag(a, "dashboards")) {
        return arguments_flag(a, "dashboards");
    }
    if (!kibana->is_named) {
        puts("dashboards are not loaded: no setup.kibana names a Kibana; --dashboards asks localhost:5601");
    }
    return kibana->is_named && !kibana->is_unwanted;
}

static int set_up(const struct arguments *a)
{
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    if (arguments_flag(a, "pipelines")) {
        fprintf(stderr, "vantage packetbeat: not applicable: setup --pipelines (there are none)\n");
    }
    bool is_bare = !arguments_flag(a, "dashboards") && !arguments_flag(a, "pipelines") &&
                   !arguments_flag(a, "index-management");
    bool is_good = true;
    if (is_bare || arguments_flag(a, "index-management")) {
        is_good = with_cluster(beat, true);
    }
    if (is_good && wants_dashboards(a, &beat->kibana, is_bare)) {
        is_good = packetbeat_dashboards_load(beat, stdout);
    }
    beat_config_free(beat);
    return is_good ? ERR_NONE : ERR_FAILED;
}

static int print_version(const struct arguments *a)
{
    (void)a;
    puts("vantage " VANTAGE_VERSION ", events of packetbeat " BEAT_VERSION);
    return ERR_NONE;
}

static int list_devices(const struct arguments *a)
{
    (void)a;
    return packetbeat_devices();
}

static int say_help(const struct arguments *a)
{
    usage_command(arguments_command(a), stdout);
    return ERR_NONE;
}

/* Commands that Packetbeat has and that are not to be had here. */
struct foreign {
    const char *name;
    const char *second; /* NULL: any */
    const char *reason;
};

static const struct foreign foreign[] = {
    {"completion", NULL, "'vantage completion' makes it for the whole program"},
};

static int refuse(const struct arguments *a, const char *first, const char *second)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        const struct foreign *f = &foreign[i];
        if (strcmp(f->name, first) == 0 &&
            (f->second == NULL || (second != NULL && strcmp(f->second, second) == 0))) {
            fprintf(stderr, "vantage packetbeat: not available: %s%s%s (%s)\n", first,
                    second != NULL ? " " : "", second != NULL ? second : "", f->reason);
            return ERR_FAILED;
        }
    }
    return arguments_refuse(a, "'%s%s%s' is no command of Packetbeat that is available: run, "
                            "test config, test output, export config, export template, "
                            "export ilm-policy, export dashboard, export index-pattern, keystore "
                            "create, add, list or remove, setup, devices, version",
                            first, second != NULL ? " " : "", second != NULL ? second : "");
}

struct tool {
    const char *name;
    const char *second; /* the word behind it, or NULL */
    int (*run)(const struct arguments *a);
};

static const struct tool tools[] = {
    {"run", NULL, packetbeat_run},
    {"test", "config", test_config},
    {"test", "output", test_output},
    {"export", "config", export_config},
    {"export", "template", export_template},
    {"export", "ilm-policy", export_policy},
    {"export", "dashboard", packetbeat_dashboards_export},
    {"export", "index-pattern", packetbeat_dashboards_export_pattern},
    {"keystore", "create", packetbeat_keystore_create},
    {"keystore", "add", packetbeat_keystore_add},
    {"keystore", "list", packetbeat_keystore_list},
    {"keystore", "remove", packetbeat_keystore_remove},
    {"setup", NULL, set_up},
    {"devices", NULL, list_devices},
    {"version", NULL, print_version},
};

int packetbeat_command(const struct arguments *a)
{
    const char *first = arguments_operand(a, 0);
    const char *second = arguments_operand(a, 1);
    if (first == NULL) {
        return packetbeat_run(a);
    }
    if (strcmp(first, "help") == 0) { /* of whichever command: its flags are all the flags */
        return say_help(a);
    }
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        const struct tool *tool = &tools[i];
        bool has_second = tool->second == NULL ? second == NULL
                                               : second != NULL && strcmp(tool->second, second) == 0;
        if (strcmp(tool->name, first) == 0 && has_second) {
            return tool->run(a);
        }
    }
    return refuse(a, first, second);
}
