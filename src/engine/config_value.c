// SPDX-License-Identifier: Apache-2.0
/* One value: read from text by its row, kept, written. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "base/text.h"
#include "base/node_json.h"
#include "engine/config_keys.h"

enum { QUOTE_MAX = 80 }; /* bytes of a wrong value that its error repeats */

static int64_t *number_at(const struct config_key *key, void *object)
{
    return (int64_t *)((char *)object + key->offset);
}

const struct config_key *config_key_find(const struct config_key *keys, const char *path)
{
    for (; keys->path != NULL; keys++) {
        if (strcmp(keys->path, path) == 0) {
            return keys;
        }
    }
    return NULL;
}

size_t config_items_count(const struct config *config, const struct config_key *key)
{
    return *(const size_t *)((const char *)config + key->items->count_offset);
}

void config_items_clear(struct config *config, const struct config_key *key)
{
    *(size_t *)((char *)config + key->items->count_offset) = 0;
}

void *config_items_at(const struct config *config, const struct config_key *key, size_t index)
{
    char *items = *(char *const *)((const char *)config + key->offset);
    return items + index * key->items->item_size;
}

const char *config_item_kind(const struct config_key *key, const void *item)
{
    const struct config_key *kind = config_key_find(key->items->keys, "kind");
    return *(const char *const *)((const char *)item + kind->offset);
}

uint64_t *config_item_given(const struct config_key *key, void *item)
{
    return (uint64_t *)((char *)item + key->items->given_offset);
}

bool config_key_applies(const struct config_key *key, const char *kind)
{
    const char *at = key->only;
    while (at != NULL && *at != '\0') {
        size_t size = strcspn(at, " ");
        if (strlen(kind) == size && strncmp(at, kind, size) == 0) {
            return true;
        }
        at += size + (at[size] == ' ');
    }
    return key->only == NULL;
}

/* The smaller of the machine's memory and the control group's bound. */
static int64_t machine_memory(void)
{
    int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    if (file != NULL) {
        char line[32];
        int64_t bound;
        if (fgets(line, sizeof line, file) != NULL) {
            line[strcspn(line, "\n")] = '\0';
            if (text_parse_number(line, &bound) && bound < bytes) { /* "max" is no number */
                bytes = bound;
            }
        }
        fclose(file);
    }
    return bytes;
}

int64_t config_memory_auto(void)
{
    static const int64_t most = 2ll << 30;
    int64_t quarter = machine_memory() / 4;
    return (quarter < most ? quarter : most) >> 20 << 20;
}

/* Fails with "KEY 'TEXT' is not WHAT". */
static bool refuse(const struct config_key *key, const char *text, const char *what,
                   struct err *err)
{
    char quote[QUOTE_MAX];
    return err_set(err, ERR_USAGE, "%s '%s' is not %s", key->path,
                   text_printable(quote, sizeof quote, text), what);
}

static const char *number_text(char to[TEXT_ROOM], enum config_kind kind, int64_t value)
{
    if (kind == CONFIG_DURATION) {
        return text_duration(to, value);
    }
    if (kind == CONFIG_SIZE || kind == CONFIG_MEMORY) {
        return text_size(to, value);
    }
    snprintf(to, TEXT_ROOM, "%lld", (long long)value);
    return to;
}

static bool parse_number(const struct config_key *key, const char *text, int64_t *ret)
{
    switch (key->kind) {
    case CONFIG_DURATION:
        return text_parse_duration(text, ret);
    case CONFIG_MEMORY:
        if (strcmp(text, "auto") == 0) {
            *ret = config_memory_auto();
            return true;
        }
        return text_parse_size(text, ret);
    case CONFIG_SIZE:
        return text_parse_size(text, ret);
    default:
        return text_parse_number(text, ret);
    }
}

/* Whether a value is the one beyond the bounds that the row allows; all negative ones are one. */
static bool is_none(const struct config_key *key, int64_t value)
{
    int64_t none;
    if (key->none == NULL || !parse_number(key, key->none, &none)) {
        return false;
    }
    return value == none || (value < 0 && none < 0);
}

static bool check_bounds(const struct config_key *key, int64_t value, struct err *err)
{
    bool is_auto = key->kind == CONFIG_MEMORY && value == config_memory_auto();
    bool is_within = value >= key->minimum && value <= key->maximum;
    if (is_auto || is_within || is_none(key, value)) {
        return true;
    }
    char text[TEXT_ROOM];
    char least[TEXT_ROOM];
    char most[TEXT_ROOM];
    number_text(text, key->kind, value);
    number_text(least, key->kind, key->minimum);
    number_text(most, key->kind, key->maximum);
    bool is_open = key->maximum == INT64_MAX;
    return err_set(err, ERR_USAGE, "%s %s is out of range: %s%s%s%s%s", key->path, text, least,
                   is_open ? " or more" : " to ", is_open ? "" : most,
                   key->none != NULL ? ", or " : "", key->none != NULL ? key->none : "");
}

bool config_values_check(const struct config_key *keys, const char *kind, const void *object,
                         struct err *err)
{
    for (const struct config_key *key = keys; key->path != NULL; key++) {
        bool is_number = key->kind == CONFIG_NUMBER || key->kind == CONFIG_SIZE ||
                         key->kind == CONFIG_MEMORY || key->kind == CONFIG_DURATION;
        if (is_number && (kind == NULL || config_key_applies(key, kind)) &&
            !check_bounds(key, *(const int64_t *)((const char *)object + key->offset), err)) {
            return false;
        }
    }
    return true;
}

static bool set_number(const struct config_key *key, void *object, const char *text,
                       struct err *err)
{
    static const char *const kinds[] = {
        [CONFIG_NUMBER] = "a whole number",
        [CONFIG_SIZE] = "a size such as 16M",
        [CONFIG_MEMORY] = "a size such as 512M, or auto",
        [CONFIG_DURATION] = "a duration such as 10s",
    };
    int64_t value;
    if (!parse_number(key, text, &value)) {
        return refuse(key, text, kinds[key->kind], err);
    }
    if (!check_bounds(key, value, err)) {
        return false;
    }
    *number_at(key, object) = value;
    return true;
}

static bool set_flag(const struct config_key *key, void *object, const char *text, struct err *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], text) == 0) {
            *(bool *)((char *)object + key->offset) = i % 2 != 0;
            return true;
        }
    }
    return refuse(key, text, "true or false", err);
}

const char *config_choice_at(const struct config_key *key, size_t index)
{
    if (key->choice != NULL) {
        return key->choice(index);
    }
    return key->choices != NULL ? key->choices[index] : NULL;
}

/* The choice's index, or -1 with err. */
static int find_choice(const struct config_key *key, const char *text, struct err *err)
{
    struct suggest suggest = suggest_of(text);
    char list[256] = "";
    size_t at = 0;
    for (int i = 0; config_choice_at(key, (size_t)i) != NULL; i++) {
        const char *choice = config_choice_at(key, (size_t)i);
        if (strcmp(choice, text) == 0) {
            return i;
        }
        suggest_offer(&suggest, choice);
        if (at < sizeof list) {
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ", choice);
        }
    }
    char quote[QUOTE_MAX];
    err_set(err, ERR_USAGE, "%s '%s' is not one of %s%s%s%s", key->path,
            text_printable(quote, sizeof quote, text), list,
            suggest.best != NULL ? " (did you mean " : "", suggest.best != NULL ? suggest.best : "",
            suggest.best != NULL ? "?)" : "");
    return -1;
}

const char *config_choice(const struct config_key *key, const char *text, struct err *err)
{
    int index = find_choice(key, text, err);
    return index >= 0 ? config_choice_at(key, (size_t)index) : NULL;
}

bool config_value_set(struct config *config, const struct config_key *key, void *object,
                      const char *text, struct err *err)
{
    void *at = (char *)object + key->offset;
    const char *name;
    int choice;
    switch (key->kind) {
    case CONFIG_FLAG:
        return set_flag(key, object, text, err);
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_MEMORY:
    case CONFIG_DURATION:
        return set_number(key, object, text, err);
    case CONFIG_TEXT:
        *(const char **)at = config_text(config, text);
        return true;
    case CONFIG_CHOICE:
        name = config_choice(key, text, err);
        *(const char **)at = name != NULL ? name : *(const char **)at;
        return name != NULL;
    case CONFIG_LEVEL:
        choice = find_choice(key, text, err);
        *(enum log_level *)at = choice >= 0 ? (enum log_level)choice : *(enum log_level *)at;
        return choice >= 0;
    case CONFIG_LIST:
        if (((struct text_list *)at)->count == CONFIG_ITEMS_MAX) {
            return err_set(err, ERR_USAGE, "%s has more than %d items", key->path,
                           CONFIG_ITEMS_MAX);
        }
        if (key->choices != NULL && config_choice(key, text, err) == NULL) {
            return false;
        }
        config_list_add(config, at, text);
        return true;
    case CONFIG_SECTION:
    case CONFIG_ITEMS:
    case CONFIG_PROTOCOLS:
    case CONFIG_TREE:
        break;
    }
    assert(false && "a section has no value");
    return false;
}

void config_value_clear(const struct config_key *key, void *object)
{
    if (key->kind == CONFIG_LIST) {
        *(struct text_list *)((char *)object + key->offset) = (struct text_list){0};
    }
}

void config_values_default(struct config *config, const struct config_key *keys, const char *kind,
                           void *object)
{
    for (const struct config_key *key = keys; key->path != NULL; key++) {
        bool is_value = key->kind != CONFIG_SECTION && key->kind != CONFIG_ITEMS &&
                        key->kind != CONFIG_PROTOCOLS && key->kind != CONFIG_TREE;
        bool is_text = key->kind == CONFIG_TEXT || key->kind == CONFIG_CHOICE;
        if (is_text && strcmp(key->path, "kind") != 0) { /* no text is NULL, of whatever kind */
            *(const char **)((char *)object + key->offset) = "";
        }
        if (!is_value || key->fallback == NULL || !config_key_applies(key, kind)) {
            continue;
        }
        struct err err = {0};
        bool is_valid = strcmp(key->path, "kind") == 0 ||
                        config_value_set(config, key, object, key->fallback, &err);
        assert(is_valid && "a default that its own row refuses");
        if (key->kind == CONFIG_LIST) {
            ((struct text_list *)((char *)object + key->offset))->is_default = true;
        }
    }
}

/* Whether YAML would read the text as it stands as something else than that text. */
static bool needs_quotes(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null", "~", "-"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    bool begins_plain = isalnum((unsigned char)text[0]) || strchr("/._", text[0]) != NULL;
    if (text[0] == '\0' || !begins_plain) {
        return true;
    }
    for (; *text != '\0'; text++) {
        bool is_colon = *text == ':' && (text[1] == ' ' || text[1] == '\0');
        if (!isprint((unsigned char)*text) || is_colon || strchr("#,[]{}\"'\\$", *text) != NULL) {
            return true;
        }
    }
    return text[-1] == ' ';
}

void config_text_print(const char *text, FILE *out)
{
    if (!needs_quotes(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
            continue;
        }
        if (c == '"' || c == '\\') {
            fputc('\\', out);
        }
        if (c == '$' && text[1] == '{') {
            fputc('$', out); /* "$${" is read back as "${" */
        }
        fputc(c, out);
    }
    fputc('"', out);
}

static void print_list(const struct text_list *list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        config_text_print(list->items[i], out);
    }
    fputc(']', out);
}

/* JSON is YAML, too. */
static void print_tree(const struct node *tree, FILE *out)
{
    struct json text;
    json_init(&text);
    if (tree != NULL) {
        node_json_write(&text, tree);
    }
    fprintf(out, "%.*s", (int)text.size, text.data);
    fputs(tree == NULL ? "[]" : "", out);
    json_done(&text);
}

void config_value_print(const struct config_key *key, const void *object, FILE *out)
{
    const void *at = (const char *)object + key->offset;
    char text[TEXT_ROOM];
    switch (key->kind) {
    case CONFIG_FLAG:
        fputs(*(const bool *)at ? "true" : "false", out);
        break;
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_MEMORY:
    case CONFIG_DURATION:
        fputs(number_text(text, key->kind, *(const int64_t *)at), out);
        break;
    case CONFIG_TEXT:
    case CONFIG_CHOICE:
        config_text_print(key->secret && **(const char *const *)at != '\0'
                              ? CONFIG_HIDDEN
                              : *(const char *const *)at,
                          out);
        break;
    case CONFIG_LEVEL:
        fputs(log_level_names[*(const enum log_level *)at], out);
        break;
    case CONFIG_LIST:
        print_list(at, out);
        break;
    case CONFIG_TREE:
        print_tree(*(struct node *const *)at, out);
        break;
    case CONFIG_SECTION:
    case CONFIG_ITEMS:
    case CONFIG_PROTOCOLS:
        break;
    }
}
