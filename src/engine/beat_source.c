// SPDX-License-Identifier: Apache-2.0
#include "engine/beat_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "engine/beat_keystore.h"
#include "engine/config.h"
#include "engine/node_yaml.h"

enum { PATH_ROOM = 4096, DEPTH_MAX = 16, NAME_ROOM = 256 };

/* ---- Files -------------------------------------------------------------------------------------- */

/* As its own programs ask for: nobody else may write the file that root reads. */
static bool check_permissions(const char *path, struct err *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return true; /* reading says what is wrong */
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        return err_set(err, ERR_FAILED,
                       "%s belongs to another user (%u): chown it, or run with --strict.perms=false",
                       path, status.st_uid);
    }
    if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        return err_set(err, ERR_FAILED,
                       "%s may be written by others: chmod go-w %s, or run with --strict.perms=false",
                       path, path);
    }
    return true;
}

static struct span read_file(struct nodes *tree, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        err_set(err, ERR_FAILED, "%s: %s", path, strerror(errno));
        return (struct span){0};
    }
    char *text = node_allocate(tree, CONFIG_FILE_MAX + 1);
    size_t size = fread(text, 1, CONFIG_FILE_MAX + 1, file);
    if (ferror(file)) {
        err_set(err, ERR_FAILED, "%s: %s", path, strerror(errno));
    } else if (size > CONFIG_FILE_MAX) {
        err_set(err, ERR_USAGE, "%s: larger than 1 MiB, which no configuration is", path);
    }
    fclose(file);
    return span_of(text, size);
}

static void mark(struct node *node, uint8_t file)
{
    node->file = file;
    node->line = file == BEAT_SETTING ? 0 : node->line;
    for (struct node *child = node->first; child != NULL; child = child->next) {
        mark(child, file);
    }
}

const char *beat_source_file(const struct beat_source *source, const struct node *node)
{
    return node->file == BEAT_SETTING          ? "-E"
           : node->file < source->file_count ? source->files[node->file]
                                               : source->files[source->file_count - 1];
}

const char *beat_source_place(const struct beat_source *source, const struct node *node,
                              char ret[BEAT_PLACE])
{
    ret[0] = '\0';
    if (node != NULL && node->file == BEAT_SETTING) {
        snprintf(ret, BEAT_PLACE, "-E: ");
    } else if (node != NULL && node->line != 0) {
        snprintf(ret, BEAT_PLACE, "%s:%u:%u: ", beat_source_file(source, node), node->line,
                 node->column);
    }
    return ret;
}

/* A name without a directory is looked for where the configurations are. */
static void find_file(const struct beat_source *source, const char *name, char ret[PATH_ROOM])
{
    const char *folder = source->config != NULL ? source->config : source->home;
    snprintf(ret, PATH_ROOM, "%s", name);
    if (folder != NULL && name[0] != '/' && access(name, R_OK) != 0) {
        snprintf(ret, PATH_ROOM, "%s/%s", folder, name);
    }
}

static bool add_file(struct nodes *tree, const struct beat_source *source, size_t index,
                     struct node *root, struct err *err)
{
    char path[PATH_ROOM];
    find_file(source, source->files[index], path);
    if (source->strict_permissions && !check_permissions(path, err)) {
        return false;
    }
    struct span text = read_file(tree, path, err);
    struct node *read = err->code == ERR_NONE ? node_yaml_parse(tree, path, text, err) : NULL;
    if (read == NULL) {
        return false;
    }
    if (read->kind != NODE_MAP) {
        return err_set(err, ERR_USAGE, "%s: it is no mapping of settings", path);
    }
    mark(read, (uint8_t)(index < BEAT_SETTING ? index : BEAT_SETTING - 1));
    node_merge(root, read);
    return true;
}

/* ---- Settings of the command line --------------------------------------------------------------- */

/* KEY=VALUE; "a,b" is a list. */
static bool add_setting(struct nodes *tree, const char *setting, struct node *root, struct err *err)
{
    const char *equals = strchr(setting, '=');
    if (equals == NULL || equals == setting) {
        return err_set(err, ERR_USAGE, "-E %s is not KEY=VALUE", setting);
    }
    const char *value = equals + 1;
    bool is_list = strchr(value, ',') != NULL && strchr("[{\"'", value[0]) == NULL;
    struct span text = node_format(tree, "%.*s: %s%s%s", (int)(equals - setting), setting,
                                   is_list ? "[" : "", value, is_list ? "]" : "");
    struct node *read = node_yaml_parse(tree, "-E", text, err);
    if (read == NULL || read->kind != NODE_MAP) {
        return err_set(err, ERR_USAGE, "-E %s cannot be read", setting);
    }
    mark(read, BEAT_SETTING);
    node_merge(root, read);
    return true;
}

/* ---- Variables ----------------------------------------------------------------------------------- */

struct expansion {
    const struct beat_source *source;
    struct nodes *tree;
    struct node *root;
    const struct node *secrets; /* of the keystore; NULL: it is not read yet */
    struct err *err;
    unsigned depth;
};

static bool expand_text(struct expansion *x, const struct node *at, struct span text,
                        struct json *to);

static bool refuse(const struct expansion *x, const struct node *at, const char *what, const char *name)
{
    char place[BEAT_PLACE];
    return err_set(x->err, ERR_USAGE, "%s${%s}: %s", beat_source_place(x->source, at, place), name,
                   what);
}

/* The value of another setting, of the keystore, or of the environment. */
static bool put_variable(struct expansion *x, const struct node *at, const char *name,
                         struct json *to, bool *found)
{
    struct node *setting = node_find(x->root, span_str(name));
    const struct node *secret = x->secrets != NULL ? node_member(x->secrets, span_str(name)) : NULL;
    const char *value = getenv(name);
    *found = true;
    if (setting != NULL && node_is_scalar(setting) && setting != at) {
        setting->used = true;
        return expand_text(x, setting, setting->text, to);
    }
    if (secret != NULL) {
        json_append(to, secret->text.data, secret->text.size);
        return true;
    }
    *found = value != NULL;
    if (value != NULL) {
        json_append(to, value, strlen(value));
    }
    return true;
}

/* What stands between ${ and }: NAME, NAME:default, NAME:?message, NAME:+other. */
static bool expand_one(struct expansion *x, const struct node *at, struct span inner,
                       struct json *to)
{
    char name[NAME_ROOM];
    const uint8_t *colon = inner.size > 0 ? memchr(inner.data, ':', inner.size) : NULL;
    size_t size = colon != NULL ? (size_t)(colon - inner.data) : inner.size;
    if (size == 0 || size >= sizeof name) {
        return refuse(x, at, "a name is missing", "");
    }
    memcpy(name, inner.data, size);
    name[size] = '\0';
    struct span rest = span_skip(inner, size + 1);
    bool wants_other = rest.size > 0 && *rest.data == '+';
    size_t start = to->size;
    bool found;
    if (!put_variable(x, at, name, to, &found)) {
        return false;
    }
    if (wants_other && found) {
        to->size = start;
        return expand_text(x, at, span_skip(rest, 1), to);
    }
    if (found || wants_other) {
        return true;
    }
    if (colon == NULL || (rest.size > 0 && *rest.data == '?')) {
        return refuse(x, at, "neither a setting nor in the keystore nor in the environment; give "
                      "a default as ${NAME:default}", name);
    }
    return expand_text(x, at, rest, to);
}

/* Where the brace that was opened before `text` closes. */
static size_t closing(struct span text)
{
    unsigned open = 1;
    for (size_t i = 0; i < text.size; i++) {
        open += text.data[i] == '{';
        open -= text.data[i] == '}';
        if (open == 0) {
            return i;
        }
    }
    return text.size;
}

static bool expand_text(struct expansion *x, const struct node *at, struct span text,
                        struct json *to)
{
    if (++x->depth > DEPTH_MAX) {
        return refuse(x, at, "it leads back to itself", "");
    }
    while (text.size > 0) {
        const uint8_t *dollar = memmem(text.data, text.size, "${", 2);
        size_t plain = dollar != NULL ? (size_t)(dollar - text.data) : text.size;
        bool is_escaped = dollar != NULL && plain > 0 && dollar[-1] == '$';
        json_append(to, text.data, is_escaped ? plain - 1 : plain);
        text = span_skip(text, plain);
        if (dollar == NULL) {
            break;
        }
        struct span inner = span_skip(text, 2);
        size_t end = closing(inner);
        if (end == inner.size || is_escaped) {
            json_append(to, "${", 2);
            text = inner;
            continue;
        }
        if (!expand_one(x, at, span_head(inner, end), to)) {
            return false;
        }
        text = span_skip(inner, end + 1);
    }
    x->depth--;
    return true;
}

static bool expand_node(struct expansion *x, struct node *node)
{
    for (struct node *child = node->first; child != NULL; child = child->next) {
        if (!expand_node(x, child)) {
            return false;
        }
    }
    if (node->kind != NODE_TEXT || memmem(node->text.data, node->text.size, "${", 2) == NULL) {
        return true;
    }
    struct json text;
    json_init(&text);
    x->depth = 0;
    bool is_good = expand_text(x, node, node->text, &text);
    bool is_whole = node->text.size > 2 && memcmp(node->text.data, "${", 2) == 0 &&
                    closing(span_skip(node->text, 2)) == node->text.size - 3;
    struct span copy = node_copy(x->tree, span_of(text.data, text.size));
    json_done(&text);
    if (is_good && is_whole) { /* a number or a list is one, also from a variable */
        struct err err = {0};
        struct node *value = node_yaml_parse(x->tree, "", copy, &err);
        if (value != NULL && (value->kind != NODE_MAP || copy.size == 0)) {
            node->kind = copy.size == 0 ? NODE_TEXT : value->kind;
            node->first = value->first;
            node->last = value->last;
            copy = value->kind == NODE_TEXT ? copy : value->text;
        }
    }
    node->text = copy;
    return is_good;
}

/* ---- All of it ----------------------------------------------------------------------------------- */

static void add_paths(struct nodes *tree, const struct beat_source *source, struct node *root)
{
    const struct {
        const char *path;
        const char *given;
        const char *otherwise;
    } paths[] = {
        {"path.home", source->home, "."},
        {"path.config", source->config, "${path.home}"},
        {"path.data", source->data, "${path.home}/data"},
        {"path.logs", source->logs, "${path.home}/logs"},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        bool is_there = node_find(root, span_str(paths[i].path)) != NULL;
        if (paths[i].given != NULL || !is_there) {
            const char *text = paths[i].given != NULL ? paths[i].given : paths[i].otherwise;
            struct node *node = node_new(tree, NODE_TEXT, span_str(text));
            node->used = true;
            node_put(tree, root, span_str(paths[i].path), node);
        }
        struct node *node = node_find(root, span_str(paths[i].path));
        if (node != NULL) {
            node->used = true;
        }
    }
}

static struct node *read_root(struct nodes *tree, const struct beat_source *source, struct err *err)
{
    struct node *root = node_new(tree, NODE_MAP, (struct span){0});
    for (size_t i = 0; i < source->file_count; i++) {
        if (!add_file(tree, source, i, root, err)) {
            return NULL;
        }
    }
    for (size_t i = 0; i < source->setting_count; i++) {
        if (!add_setting(tree, source->settings[i], root, err)) {
            return NULL;
        }
    }
    add_paths(tree, source, root);
    return root;
}

/* Where the keystore is; NULL and x->err. */
static const char *keystore_path(struct expansion *x)
{
    struct node *node = node_find(x->root, span_str("keystore.path"));
    bool is_set = node != NULL && node->kind == NODE_TEXT;
    struct span text = is_set ? node->text : span_str("${path.data}/packetbeat.keystore");
    struct json path;
    if (is_set) {
        node->used = true;
    }
    json_init(&path);
    x->depth = 0;
    bool is_good = expand_text(x, is_set ? node : x->root, text, &path);
    const char *copy = (const char *)node_copy(x->tree, span_of(path.data, path.size)).data;
    json_done(&path);
    return is_good ? copy : NULL;
}

const char *beat_source_keystore(struct nodes *tree, const struct beat_source *source, struct err *err)
{
    struct node *root = read_root(tree, source, err);
    struct expansion x = {.source = source, .tree = tree, .root = root, .err = err};
    return root != NULL ? keystore_path(&x) : NULL;
}

struct node *beat_source_read(struct nodes *tree, const struct beat_source *source, struct err *err)
{
    struct node *root = read_root(tree, source, err);
    struct expansion x = {.source = source, .tree = tree, .root = root, .err = err};
    const char *path = root != NULL ? keystore_path(&x) : NULL;
    x.secrets = path != NULL ? beat_keystore_read(tree, path, source->strict_permissions, err) : NULL;
    return x.secrets != NULL && expand_node(&x, root) ? root : NULL;
}
