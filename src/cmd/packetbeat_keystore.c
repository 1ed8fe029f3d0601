// SPDX-License-Identifier: Apache-2.0
#include "cmd/packetbeat_keystore.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/packetbeat_config.h"
#include "engine/beat_keystore.h"

enum { SECRET_MOST = 64 << 10 };

/* An open keystore. */
struct store {
    struct nodes tree;
    const char *path;
    struct node *secrets;
    bool is_there;
};

static int complain(struct store *store, const struct err *err)
{
    fprintf(stderr, "vantage packetbeat: %s\n", err->text);
    node_done(&store->tree);
    return err->code != ERR_NONE ? (int)err->code : ERR_FAILED;
}

static bool open_store(const struct arguments *a, struct store *store, struct err *err)
{
    struct beat_arguments said = packetbeat_arguments(a);
    *store = (struct store){0};
    store->path = beat_source_keystore(&store->tree, &said.source, err);
    store->is_there = store->path != NULL && access(store->path, F_OK) == 0;
    store->secrets = store->path != NULL
                         ? beat_keystore_read(&store->tree, store->path,
                                              said.source.strict_permissions, err)
                         : NULL;
    return store->secrets != NULL;
}

/* The folder that it is in is made, too: Packetbeat makes path.data at its first start. */
static int save(struct store *store, const char *what)
{
    struct err err = {0};
    struct span path = node_copy(&store->tree, span_str(store->path));
    char *slash = strrchr((char *)(uintptr_t)path.data, '/');
    if (slash != NULL) {
        *slash = '\0';
        (void)mkdir((const char *)path.data, 0750);
    }
    if (!beat_keystore_write(store->path, store->secrets, &err)) {
        return complain(store, &err);
    }
    printf("%s\n", what);
    node_done(&store->tree);
    return ERR_NONE;
}

int packetbeat_keystore_create(const struct arguments *a)
{
    struct store store;
    struct err err = {0};
    bool is_open = open_store(a, &store, &err);
    if (store.is_there && !arguments_flag(a, "force")) {
        err_set(&err, ERR_FAILED, "%s is there already: --force makes an empty one in its place",
                store.path);
        return complain(&store, &err);
    }
    if (!is_open && store.path == NULL) {
        return complain(&store, &err);
    }
    store.secrets = node_new(&store.tree, NODE_MAP, (struct span){0});
    return save(&store, "Created the keystore");
}

/* All of standard input, without the line's end that a person or echo puts there. */
static bool read_secret(struct nodes *tree, const char *name, bool from_input, struct span *ret)
{
    struct termios before, silent;
    bool asks = !from_input && tcgetattr(STDIN_FILENO, &before) == 0;
    char *text = node_allocate(tree, SECRET_MOST + 1);
    if (asks) {
        fprintf(stderr, "Value of %s: ", name);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        bool is_good = fgets(text, SECRET_MOST, stdin) != NULL;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
        text[strcspn(text, "\n")] = '\0';
        *ret = span_str(text);
        return is_good;
    }
    size_t size = fread(text, 1, SECRET_MOST + 1, stdin);
    if (size > SECRET_MOST) {
        return false;
    }
    size -= size > 0 && text[size - 1] == '\n';
    size -= size > 0 && text[size - 1] == '\r';
    *ret = span_of(text, size);
    return true;
}

int packetbeat_keystore_add(const struct arguments *a)
{
    struct store store;
    struct err err = {0};
    const char *name = arguments_operand(a, 2);
    if (name == NULL || strpbrk(name, "${}:") != NULL) {
        return arguments_refuse(a, "keystore add needs the NAME of a secret, without ${}:");
    }
    if (!open_store(a, &store, &err)) {
        return complain(&store, &err);
    }
    struct span key = node_copy(&store.tree, span_str(name));
    struct node *known = node_member(store.secrets, key);
    struct span value;
    if (known != NULL && !arguments_flag(a, "force")) {
        err_set(&err, ERR_FAILED, "%s is in the keystore already: --force gives it another value", name);
        return complain(&store, &err);
    }
    if (!read_secret(&store.tree, name, arguments_flag(a, "stdin"), &value)) {
        err_set(&err, ERR_FAILED, "no value of at most 64 KiB for %s", name);
        return complain(&store, &err);
    }
    if (known != NULL) {
        node_become(known, NODE_TEXT, value);
    } else {
        node_append_named(store.secrets, key, node_new(&store.tree, NODE_TEXT, value));
    }
    return save(&store, "Added it to the keystore");
}

int packetbeat_keystore_list(const struct arguments *a)
{
    struct store store;
    struct err err = {0};
    if (!open_store(a, &store, &err)) {
        return complain(&store, &err);
    }
    for (const struct node *child = store.secrets->first; child != NULL; child = child->next) {
        printf("%.*s\n", (int)child->name.size, child->name.data);
    }
    node_done(&store.tree);
    return ERR_NONE;
}

int packetbeat_keystore_remove(const struct arguments *a)
{
    struct store store;
    struct err err = {0};
    const char *name = arguments_operand(a, 2);
    if (name == NULL) {
        return arguments_refuse(a, "keystore remove needs the NAME of a secret");
    }
    if (!open_store(a, &store, &err)) {
        return complain(&store, &err);
    }
    struct node *known = node_member(store.secrets, span_str(name));
    if (known == NULL) {
        err_set(&err, ERR_FAILED, "%s is not in the keystore %s", name, store.path);
        return complain(&store, &err);
    }
    node_unlink(store.secrets, known);
    return save(&store, "Removed it from the keystore");
}
