// SPDX-License-Identifier: Apache-2.0
/* The schema and its values as YAML for people: what a configuration means in full, and the
 * reference page. In the reference a line is either YAML as it stands, or a comment ("# Text"), or
 * YAML that is switched off ("#key: value", without a blank behind the '#'). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config_policies.h"
#include "engine/config_protocols.h"
#include "proto/proto.h"

enum { NOTE_COLUMN = 36, WIDTH = 80, STEP = 2 };

/* The last part of a path, and how deep it is. */
static const char *name_of(const char *path, int *ret_depth)
{
    *ret_depth = 0;
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        ++*ret_depth;
    }
    return path;
}

/* ---- What a configuration means. ---- */

/* Prints a line `KEY: VALUE` behind `lead`, and in a column of their own whether it is the default. */
static void print_value(const char *lead, const char *name, const struct config_key *key,
                        const void *object, bool is_given, FILE *out)
{
    char *line = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&line, &size);
    if (memory == NULL) {
        abort();
    }
    fprintf(memory, "%s%s: ", lead, name);
    config_value_print(key, object, memory);
    fclose(memory);
    bool is_hidden = key->secret && strstr(line, CONFIG_HIDDEN) != NULL;
    const char *note = !is_given ? "# default" : is_hidden ? "# hidden" : "";
    int width = note[0] != '\0' ? NOTE_COLUMN : 0;
    fprintf(out, "%-*s%s%s\n", width, line, width > 0 ? " " : "", note);
    free(line);
}

static void print_items(const struct config *config, const struct config_key *key, FILE *out)
{
    size_t count = config_items_count(config, key);
    if (count == 0) {
        fprintf(out, "%s: []\n", key->path);
        return;
    }
    fprintf(out, "%s:\n", key->path);
    for (size_t i = 0; i < count; i++) {
        void *item = config_items_at(config, key, i);
        const char *lead = "  - ";
        for (const struct config_key *row = key->items->keys; row->path != NULL; row++) {
            if (config_key_applies(row, config_item_kind(key, item))) {
                bool is_given = *config_item_given(key, item) >> (row - key->items->keys) & 1;
                print_value(lead, row->path, row, item, is_given, out);
                lead = "    ";
            }
        }
    }
}

static void print_protocols(const struct config *config, FILE *out)
{
    fputs("protocols:\n", out);
    for (size_t i = 0; i < config->protocol_count; i++) {
        const struct config_protocol *protocol = &config->protocols[i];
        fprintf(out, "  %s:\n", protocol->proto->name);
        for (const struct config_key *row = protocol->keys; row->path != NULL; row++) {
            print_value("    ", row->path, row, protocol->options,
                        protocol->given >> (row - protocol->keys) & 1, out);
        }
    }
}

void config_print(const struct config *config, FILE *out)
{
    for (const struct config_key *key = config_keys; key->path != NULL; key++) {
        int depth;
        const char *name = name_of(key->path, &depth);
        if (key->kind == CONFIG_SECTION) {
            fprintf(out, "%s:\n", name);
        } else if (key->kind == CONFIG_ITEMS) {
            print_items(config, key, out);
        } else if (key->kind == CONFIG_PROTOCOLS) {
            print_protocols(config, out);
        } else {
            print_value(depth > 0 ? "  " : "", name, key, config,
                        config->given >> (key - config_keys) & 1, out);
        }
    }
}

/* ---- The reference. ---- */

/* Prints text as comment lines that begin at `indent` and end before WIDTH. */
static void print_comment(const char *text, int indent, FILE *out)
{
    int column = WIDTH;
    bool is_first = true;
    while (*text != '\0') {
        int size = (int)strcspn(text, " ");
        if (column + 1 + size > WIDTH) {
            fprintf(out, "%s%*s#", is_first ? "" : "\n", indent, "");
            column = indent + 1;
            is_first = false;
        }
        fprintf(out, " %.*s", size, text);
        column += 1 + size;
        text += size + (text[size] == ' ');
    }
    fputc('\n', out);
}

/* Prints the help of a key, and its choices behind it. */
static void print_help(const struct config_key *key, int indent, FILE *out)
{
    char text[1024];
    size_t at = (size_t)snprintf(text, sizeof text, "%s", key->help);
    for (size_t i = 0; config_choice_at(key, i) != NULL && at < sizeof text; i++) {
        bool is_last = config_choice_at(key, i + 1) == NULL;
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%s",
                               i == 0 ? " One of " : is_last ? " or " : ", ", config_choice_at(key, i),
                               is_last ? "." : "");
    }
    print_comment(text, indent, out);
}

/* The default as one would write it; for a list in its brackets. */
static void print_fallback(const struct config_key *key, FILE *out)
{
    if (key->example != NULL) {
        fputs(key->example, out);
    } else if (key->kind == CONFIG_LIST) {
        fprintf(out, "[%s]", key->fallback != NULL ? key->fallback : "");
    } else if (key->kind == CONFIG_TEXT || key->kind == CONFIG_CHOICE) {
        config_text_print(key->fallback != NULL ? key->fallback : "", out);
    } else {
        fputs(key->fallback, out);
    }
    fputc('\n', out);
}

/* Prints an item of one kind with all its keys; `off` is "" or "#". */
static void print_item(const struct config_items *items, const char *kind, const char *off,
                       FILE *out)
{
    fputc('\n', out);
    char title[512];
    snprintf(title, sizeof title, "%s: %s", kind, items->help(kind));
    print_comment(title, STEP, out);
    fprintf(out, "%*s%s- kind: %s\n", STEP, "", off, kind);
    for (const struct config_key *key = items->keys; key->path != NULL; key++) {
        if (strcmp(key->path, "kind") == 0 || !config_key_applies(key, kind)) {
            continue;
        }
        print_help(key, 2 * STEP, out);
        fprintf(out, "%*s%s%s: ", 2 * STEP, "", off, key->path);
        if (strcmp(key->path, "name") == 0) {
            fprintf(out, "%s\n", kind); /* what config_add_tap() makes up */
        } else {
            print_fallback(key, out);
        }
    }
}

/* Items of all kinds: the default one as it stands where a config has one, the others off. */
static void print_item_kinds(const struct config_key *key, const struct config *defaults, FILE *out)
{
    const struct config_key *kinds = config_key_find(key->items->keys, "kind");
    bool has_default = config_items_count(defaults, key) > 0;
    fprintf(out, "%s:\n", key->path);
    for (size_t i = 0; kinds->choice(i) != NULL; i++) {
        const char *kind = kinds->choice(i);
        bool is_default = has_default && strcmp(kind, key->items->default_kind) == 0;
        print_item(key->items, kind, is_default ? "" : "#", out);
    }
}

/* All protocols with their keys; what every protocol has is explained at the first one. */
static void print_protocol_kinds(const struct config *defaults, FILE *out)
{
    fputs("protocols:\n", out);
    for (size_t i = 0; i < defaults->protocol_count; i++) {
        const struct config_protocol *protocol = &defaults->protocols[i];
        const struct proto *proto = protocol->proto;
        fputc('\n', out);
        print_comment(proto->help, STEP, out);
        fprintf(out, "%*s%s:\n", STEP, "", proto->name);
        for (const struct config_key *row = protocol->keys; row->path != NULL; row++) {
            bool is_own = row->offset >= sizeof(struct proto_settings);
            if (is_own || i == 0) {
                print_help(row, 2 * STEP, out);
            }
            fprintf(out, "%*s%s: ", 2 * STEP, "", row->path);
            print_fallback(row, out);
        }
    }
}

void config_reference(FILE *out)
{
    struct config *defaults = config_new();
    print_comment("The configuration of vantage: every key with its default. A value may hold "
                  "${NAME} or ${NAME:default} from the environment; $${ stands for ${. Sizes: 64K, "
                  "16M, 2G are powers of 1024. Durations: 250ms, 10s, 1h30m. `vantage check -c "
                  "FILE` says what is wrong with a file, and what it means.",
                  0, out);
    for (const struct config_key *key = config_keys; key->path != NULL; key++) {
        int depth;
        const char *name = name_of(key->path, &depth);
        if (depth == 0) {
            fputc('\n', out);
        }
        print_help(key, depth * STEP, out);
        if (key->kind == CONFIG_ITEMS) {
            print_item_kinds(key, defaults, out);
        } else if (key->kind == CONFIG_PROTOCOLS) {
            print_protocol_kinds(defaults, out);
        } else if (key->kind == CONFIG_SECTION) {
            fprintf(out, "%*s%s:\n", depth * STEP, "", name);
        } else {
            fprintf(out, "%*s%s: ", depth * STEP, "", name);
            print_fallback(key, out);
        }
    }
    config_policies_reference(out);
    config_free(defaults);
}
