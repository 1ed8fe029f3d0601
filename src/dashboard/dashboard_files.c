// SPDX-License-Identifier: Apache-2.0
#include "dashboard/dashboard_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/node_json.h"

enum { PATH_ROOM = 4096, DEPTH_MAX = 6 };

struct reading {
    struct json *to;
    const struct dashboard_files *files;
    const char *path; /* of the file at hand */
    unsigned count;
    struct nodes tree; /* of the file at hand */
    struct err *err;
};

/* ---- One object -------------------------------------------------------------------------------------- */

/* What Kibana keeps as text, and who looks after such files rather as JSON. */
static void make_texts(struct nodes *tree, struct node *attributes)
{
    static const char *const names[] = {
        "visState",    "uiStateJSON",    "panelsJSON", "optionsJSON",      "mapStateJSON",
        "layerListJSON", "fieldFormatMap", "fields",   "kibanaSavedObjectMeta.searchSourceJSON",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct node *node = node_find(attributes, span_str(names[i]));
        if (node != NULL && !node_is_scalar(node)) {
            struct json text;
            json_init(&text);
            node_json_write(&text, node);
            node_become(node, NODE_TEXT, node_copy(tree, span_of(text.data, text.size)));
            json_done(&text);
        }
    }
}

/* References of type index-pattern point to another one. */
static void point_elsewhere(struct node *object, const char *index)
{
    struct node *references = node_member(object, span_str("references"));
    struct node *item = references != NULL ? references->first : NULL;
    for (; item != NULL; item = item->next) {
        const struct node *type = node_member(item, span_str("type"));
        struct node *id = node_member(item, span_str("id"));
        if (type != NULL && id != NULL && node_is(type, "index-pattern")) {
            node_become(id, NODE_TEXT, span_str(index));
        }
    }
}

static bool is_text(const struct node *object, const char *name)
{
    const struct node *node = node_member(object, span_str(name));
    return node != NULL && node->kind == NODE_TEXT && node->text.size > 0;
}

static bool put_object(struct reading *r, struct node *object, unsigned line)
{
    struct node *attributes = node_member(object, span_str("attributes"));
    if (node_member(object, span_str("exportedCount")) != NULL) {
        return true; /* the last line of an export: how many there were */
    }
    if (attributes == NULL || attributes->kind != NODE_MAP || !is_text(object, "id") ||
        !is_text(object, "type")) {
        return err_set(r->err, ERR_FAILED, "%s:%u: no saved object, which has type, id and "
                       "attributes: export it anew in Kibana (Saved objects), or take the file away",
                       r->path, line);
    }
    bool is_pattern = node_is(node_member(object, span_str("type")), "index-pattern");
    bool is_known = node_is(node_member(object, span_str("id")), r->files->known);
    if (is_pattern && (is_known || r->files->index != NULL)) {
        return true; /* another one is in its place */
    }
    make_texts(&r->tree, attributes);
    if (r->files->index != NULL) {
        point_elsewhere(object, r->files->index);
    }
    r->to->comma = false;
    node_json_write(r->to, object);
    json_append(r->to, "\n", 1);
    return r->to->size <= DASHBOARD_BYTES_MAX ||
           err_set(r->err, ERR_FAILED, "%s: more than %d MiB of saved objects: bring fewer at once",
                   r->path, DASHBOARD_BYTES_MAX >> 20);
}

/* ---- One file ---------------------------------------------------------------------------------------- */

static bool put_lines(struct reading *r, struct span text)
{
    for (unsigned line = 1; text.size > 0; line++) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        struct span one = span_head(text, end != NULL ? (size_t)(end - text.data) : text.size);
        text = span_skip(text, one.size + (end != NULL));
        bool is_empty = one.size == 0 || (one.size == 1 && one.data[0] == '\r');
        struct node *object = is_empty ? NULL : node_json_parse(&r->tree, one);
        if (!is_empty && object == NULL) {
            return err_set(r->err, ERR_FAILED, "%s:%u: no JSON: a file is one saved object, or one a "
                           "line; export it anew in Kibana (Saved objects), or take the file away",
                           r->path, line);
        }
        if (object != NULL && !put_object(r, object, line)) {
            return false;
        }
    }
    return true;
}

static bool put_text(struct reading *r, struct span text)
{
    struct node *whole = node_json_parse(&r->tree, text);
    struct node *list = whole != NULL ? node_member(whole, span_str("objects")) : NULL;
    if (whole == NULL) {
        return put_lines(r, text);
    }
    if (list == NULL || list->kind != NODE_LIST) {
        return put_object(r, whole, 1);
    }
    for (struct node *object = list->first; object != NULL; object = object->next) {
        if (!put_object(r, object, 1)) {
            return false;
        }
    }
    return true;
}

static bool put_file(struct reading *r, const char *path)
{
    r->path = path;
    if (++r->count > DASHBOARD_FILES_MAX) {
        return err_set(r->err, ERR_FAILED, "%s: more than %d files: name a folder with fewer", path,
                       DASHBOARD_FILES_MAX);
    }
    FILE *file = fopen(path, "re");
    char *text = malloc(DASHBOARD_FILE_MAX + 1);
    bool is_good = file != NULL && text != NULL;
    size_t size = is_good ? fread(text, 1, DASHBOARD_FILE_MAX + 1, file) : 0;
    if (!is_good || ferror(file)) {
        is_good = err_set(r->err, ERR_FAILED, "%s: %s", path, strerror(errno));
    } else if (size >= 4 && memcmp(text, "PK\003\004", 4) == 0) {
        is_good = err_set(r->err, ERR_FAILED, "%s is an archive: unpack it and name its folder in "
                          "setup.dashboards.directory", path);
    } else if (size > DASHBOARD_FILE_MAX) {
        is_good = err_set(r->err, ERR_FAILED, "%s is larger than %d MiB", path,
                          DASHBOARD_FILE_MAX >> 20);
    } else {
        is_good = put_text(r, span_of(text, size));
    }
    node_done(&r->tree);
    free(text);
    if (file != NULL) {
        fclose(file);
    }
    return is_good;
}

/* ---- Folders ----------------------------------------------------------------------------------------- */

static bool put_path(struct reading *r, const char *path, unsigned depth);

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t wanted = strlen(end);
    return size >= wanted && strcmp(text + size - wanted, end) == 0;
}

static bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static bool is_number(const char *name)
{
    return name[0] != '\0' && strspn(name, "0123456789") == strlen(name);
}

/* The one folder that counts among its neighbours; NULL: all do. */
static const char *chosen(const struct reading *r, struct dirent *const *entries, int count)
{
    const char *found = NULL;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (r->files->beat[0] != '\0' && strcmp(name, r->files->beat) == 0) {
            return name;
        }
        if (is_number(name) && (found == NULL || strtoul(name, NULL, 10) > strtoul(found, NULL, 10))) {
            found = name;
        }
    }
    return found;
}

static bool put_entry(struct reading *r, const char *folder, const char *name, const char *only,
                      unsigned depth)
{
    char path[PATH_ROOM];
    if (name[0] == '.' || (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) {
        return true;
    }
    bool is_deeper = is_folder(path);
    bool counts = is_deeper ? only == NULL || strcmp(name, only) == 0
                            : ends_with(name, ".json") || ends_with(name, ".ndjson");
    return !counts || put_path(r, path, depth + 1);
}

static bool put_folder(struct reading *r, const char *path, unsigned depth)
{
    struct dirent **entries = NULL;
    int count = depth <= DEPTH_MAX ? scandir(path, &entries, NULL, alphasort) : 0;
    if (count < 0) {
        return err_set(r->err, ERR_FAILED, "%s: %s", path, strerror(errno));
    }
    const char *only = chosen(r, entries, count);
    bool is_good = true;
    for (int i = 0; i < count && is_good; i++) {
        is_good = put_entry(r, path, entries[i]->d_name, only, depth);
    }
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    return is_good;
}

static bool put_path(struct reading *r, const char *path, unsigned depth)
{
    return is_folder(path) ? put_folder(r, path, depth) : put_file(r, path);
}

bool dashboard_files_read(struct json *to, const struct dashboard_files *files, struct err *err)
{
    struct reading r = {.to = to, .files = files, .err = err};
    size_t before = to->size;
    if (!put_path(&r, files->path, 0)) {
        return false;
    }
    return to->size > before ||
           err_set(err, ERR_FAILED, "%s: no saved object is there: *.json or *.ndjson are read",
                   files->path);
}
