// SPDX-License-Identifier: Apache-2.0
#include "engine/beat_keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <nettle/gcm.h>
#include <nettle/pbkdf2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/node_json.h"

enum {
    SALT = 64,
    NONCE = 12,
    TAG = 16,
    ROUNDS = 10000,
    FILE_MOST = 4 << 20, /* bytes */
    PATH_ROOM = 4096,
};

static const char version[] = "v1";

static void make_key(struct gcm_aes256_ctx *context, const uint8_t *salt, const uint8_t *nonce)
{
    uint8_t key[AES256_KEY_SIZE];
    pbkdf2_hmac_sha512(0, (const uint8_t *)"", ROUNDS, SALT, salt, sizeof key, key);
    gcm_aes256_set_key(context, key);
    gcm_aes256_set_iv(context, NONCE, nonce);
    explicit_bzero(key, sizeof key);
}

/* ---- Base64 ----------------------------------------------------------------------------------- */

static bool unpack(struct nodes *tree, struct span text, struct span *ret)
{
    struct base64_decode_ctx context;
    size_t size = BASE64_DECODE_LENGTH(text.size);
    uint8_t *to = node_allocate(tree, size + 1);
    base64_decode_init(&context);
    bool is_good = base64_decode_update(&context, &size, to, text.size, (const char *)text.data) == 1 &&
                   base64_decode_final(&context) == 1;
    *ret = span_of(to, size);
    return is_good;
}

static struct span pack(struct nodes *tree, struct span data)
{
    size_t size = BASE64_ENCODE_RAW_LENGTH(data.size);
    char *to = node_allocate(tree, size + 1);
    base64_encode_raw(to, data.size, data.data);
    return span_of(to, size);
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static bool refuse(struct err *err, const char *path, const char *what)
{
    return err_set(err, ERR_FAILED, "keystore %s: %s", path, what);
}

static bool is_private(const char *path, const struct stat *status, struct err *err)
{
    if (status->st_uid != geteuid() && status->st_uid != 0) {
        return refuse(err, path, "it belongs to another user: chown it, or --strict.perms=false");
    }
    return (status->st_mode & 0777) == 0600 ||
           refuse(err, path, "it is to be its owner's only: chmod 600, or --strict.perms=false");
}

/* All bytes of an open file. */
static bool read_all(struct nodes *tree, int file, size_t most, struct span *ret)
{
    uint8_t *text = node_allocate(tree, most + 1);
    size_t size = 0;
    ssize_t got = 1;
    while (size < most && got > 0) {
        got = read(file, text + size, most - size);
        size += got > 0 ? (size_t)got : 0;
    }
    *ret = span_of(text, size);
    return got >= 0;
}

/* The names and values that the JSON has. */
static struct node *secrets_of(struct nodes *tree, struct span json)
{
    const struct node *map = node_json_parse(tree, json);
    if (map == NULL || map->kind != NODE_MAP) {
        return NULL;
    }
    struct node *secrets = node_new(tree, NODE_MAP, (struct span){0});
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        const struct node *value = node_member(child, span_str("value"));
        struct span text = {0};
        if (value == NULL || !node_is_scalar(value) ||
            (value->kind == NODE_TEXT && !unpack(tree, value->text, &text))) {
            return NULL;
        }
        node_append_named(secrets, child->name, node_new(tree, NODE_TEXT, text));
    }
    return secrets;
}

static struct node *open_secrets(struct nodes *tree, const char *path, struct span file, struct err *err)
{
    const size_t head = sizeof version - 1;
    struct span sealed;
    if (!span_equal(span_head(file, head), span_str(version))) {
        refuse(err, path, "it does not begin with v1: it is no keystore of Packetbeat");
        return NULL;
    }
    if (!unpack(tree, span_skip(file, head), &sealed) || sealed.size < SALT + NONCE + TAG) {
        refuse(err, path, "it is broken");
        return NULL;
    }
    struct gcm_aes256_ctx context;
    uint8_t tag[TAG];
    struct span body = span_skip(sealed, SALT + NONCE);
    body.size -= TAG;
    uint8_t *plain = node_allocate(tree, body.size + 1);
    make_key(&context, sealed.data, sealed.data + SALT);
    gcm_aes256_decrypt(&context, body.size, plain, body.data);
    gcm_aes256_digest(&context, sizeof tag, tag);
    explicit_bzero(&context, sizeof context);
    struct node *secrets = memcmp(tag, body.data + body.size, TAG) == 0
                               ? secrets_of(tree, span_of(plain, body.size))
                               : NULL;
    if (secrets == NULL) {
        refuse(err, path, "it cannot be opened: it is broken, or has a password");
    }
    return secrets;
}

struct node *beat_keystore_read(struct nodes *tree, const char *path, bool strict, struct err *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            refuse(err, path, strerror(errno));
            return NULL;
        }
        return node_new(tree, NODE_MAP, (struct span){0});
    }
    struct span text;
    struct stat status;
    struct node *secrets = NULL;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_MOST) {
        refuse(err, path, "it is no file of secrets");
    } else if (strict && !is_private(path, &status, err)) {
        secrets = NULL;
    } else if (read_all(tree, file, (size_t)status.st_size, &text)) {
        secrets = open_secrets(tree, path, text, err);
    } else {
        refuse(err, path, strerror(errno));
    }
    close(file);
    return secrets;
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static struct span json_of(struct nodes *tree, const struct node *secrets)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json);
    for (const struct node *child = secrets->first; child != NULL; child = child->next) {
        json_key_span(&json, child->name);
        json_object_begin(&json);
        json_key(&json, "value");
        json_span(&json, pack(tree, child->text));
        json_object_end(&json);
    }
    json_object_end(&json);
    json_append(&json, "\n", 1);
    struct span copy = node_copy(tree, span_of(json.data, json.size));
    explicit_bzero(json.data, json.size);
    json_done(&json);
    return copy;
}

static struct span seal(struct nodes *tree, struct span json)
{
    struct gcm_aes256_ctx context;
    size_t size = SALT + NONCE + json.size + TAG;
    uint8_t *to = node_allocate(tree, size);
    arc4random_buf(to, SALT + NONCE);
    make_key(&context, to, to + SALT);
    gcm_aes256_encrypt(&context, json.size, to + SALT + NONCE, json.data);
    gcm_aes256_digest(&context, TAG, to + SALT + NONCE + json.size);
    explicit_bzero(&context, sizeof context);
    return pack(tree, span_of(to, size));
}

static bool write_all(int file, struct span text)
{
    while (text.size > 0) {
        ssize_t put = write(file, text.data, text.size);
        if (put <= 0) {
            return false;
        }
        text = span_skip(text, (size_t)put);
    }
    return true;
}

bool beat_keystore_write(const char *path, const struct node *secrets, struct err *err)
{
    struct nodes tree = {0};
    char beside[PATH_ROOM];
    snprintf(beside, sizeof beside, "%s.tmp", path);
    struct span text = seal(&tree, json_of(&tree, secrets));
    (void)unlink(beside);
    int file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_good = file >= 0 && write_all(file, span_str(version)) && write_all(file, text) &&
                   fsync(file) == 0;
    if (file >= 0) {
        is_good = close(file) == 0 && is_good;
    }
    if (!is_good || rename(beside, path) != 0) {
        refuse(err, path, strerror(errno));
        (void)unlink(beside);
        is_good = false;
    }
    node_done(&tree);
    return is_good;
}
