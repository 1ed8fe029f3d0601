// SPDX-License-Identifier: Apache-2.0
#include "engine/key_file.h"

#include "base/log.h"
#include "base/pages.h"
#include "engine/config_keys.h"
#include "proto/proto_option.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct key_file {
    char *path;
    int fd;
    off_t at; /* read so far */
    size_t held; /* bytes of a line whose end has not come */
    bool is_skipping; /* a line that is too long for one */
    bool has_warned;
    struct key_log *log;
    uint8_t line[KEY_LOG_LINE_MAX];
};

static void warn_once(struct key_file *file, enum key_log_line what)
{
    if (file->has_warned || (what != KEY_LOG_FULL && what != KEY_LOG_BAD)) {
        return;
    }
    file->has_warned = true;
    if (what == KEY_LOG_FULL) {
        log_warning("the key log has more than %d secrets; those that come now are not kept",
                    KEY_FILE_SECRETS);
    } else {
        log_warning("the key log has lines that are none, as 'CLIENT_RANDOM <64 digits> <96 digits>' "
                    "is one; they are passed over");
    }
}

static void take(struct key_file *file, const uint8_t *bytes, size_t size, uint64_t since_ns)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            warn_once(file, file->is_skipping
                                ? KEY_LOG_BAD
                                : key_log_add(file->log, span_of(file->line, file->held),
                                              since_ns));
            file->held = 0;
            file->is_skipping = false;
        } else if (file->held < sizeof file->line) {
            file->line[file->held++] = bytes[i];
        } else {
            file->is_skipping = true;
        }
    }
}

static void begin_anew(struct key_file *file)
{
    file->at = 0;
    file->held = 0;
    file->is_skipping = false;
}

static void read_on(struct key_file *file)
{
    uint8_t buffer[16 << 10];
    for (;;) {
        ssize_t got = pread(file->fd, buffer, sizeof buffer, file->at);
        if (got <= 0) {
            return;
        }
        take(file, buffer, (size_t)got, 0);
        file->at += got;
    }
}

/* Goes on with the file that has the name now, if it is another one and may be opened. */
static bool follow(struct key_file *file)
{
    struct stat here, there;
    if (stat(file->path, &there) != 0 || fstat(file->fd, &here) != 0 ||
        (here.st_ino == there.st_ino && here.st_dev == there.st_dev)) {
        return false;
    }
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    close(file->fd);
    file->fd = fd;
    begin_anew(file);
    return true;
}

void key_file_poll(struct key_file *file)
{
    struct stat status;
    if (fstat(file->fd, &status) == 0 && status.st_size < file->at) {
        begin_anew(file);
    }
    read_on(file);
    if (follow(file)) {
        read_on(file);
    }
}

const char *key_file_path(const struct config *config)
{
    for (size_t i = 0; i < config->protocol_count; i++) {
        const struct config_protocol *protocol = &config->protocols[i];
        const struct proto_settings *settings = protocol->options;
        const struct config_key *key = config_key_find(protocol->keys, "key_log");
        if (key != NULL && settings->enabled) {
            const char *const *path = (const void *)((const char *)protocol->options + key->offset);
            return *path;
        }
    }
    return "";
}

void key_file_take(struct key_file *file, struct span text, uint64_t since_ns)
{
    take(file, text.data, text.size, since_ns);
    take(file, (const uint8_t *)"\n", 1, since_ns); /* the last line may lack its end */
}

void key_file_take_from(struct key_file *file, const struct tap_kind *kind, struct tap *tap)
{
    struct span text;
    uint64_t since_ns;
    while (kind->secrets != NULL && kind->secrets(tap, &text, &since_ns)) {
        if (file != NULL) {
            key_file_take(file, text, since_ns);
        }
    }
}

struct key_file *key_file_open(const char *path, bool grows, uint64_t seed, struct err *err)
{
    struct key_file *file = calloc(1, sizeof *file);
    void *memory = pages_reserve(key_log_bytes(KEY_FILE_SECRETS));
    char *name = strdup(path);
    bool has_path = *path != '\0';
    int fd = has_path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
    if (file == NULL || memory == NULL || name == NULL || (fd < 0 && has_path)) {
        err_set(err, ERR_FAILED, "protocols.tls.key_log: cannot read '%s': %s; create it, or name another",
                path, fd < 0 && has_path ? strerror(errno) : "out of memory");
        if (fd >= 0) {
            close(fd);
        }
        pages_release(memory, key_log_bytes(KEY_FILE_SECRETS));
        free(name);
        free(file);
        return NULL;
    }
    file->path = name;
    file->fd = fd;
    file->log = key_log_in(memory, KEY_FILE_SECRETS, seed, grows);
    if (fd >= 0) {
        key_file_poll(file);
    }
    if (!grows) { /* a last line may lack its end */
        take(file, (const uint8_t *)"\n", 1, 0);
    }
    return file;
}

void key_file_close(struct key_file *file)
{
    if (file == NULL) {
        return;
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    pages_release(file->log, key_log_bytes(KEY_FILE_SECRETS));
    free(file->path);
    free(file);
}

const struct key_log *key_file_log(const struct key_file *file)
{
    return file->log;
}
