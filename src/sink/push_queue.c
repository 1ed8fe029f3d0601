// SPDX-License-Identifier: Apache-2.0
#include "sink/push_queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, NAME_ROOM = 64, BODY_MAX = 64 << 20 };

struct entry {
    struct entry *next;
    uint64_t number;
    uint32_t points;
    size_t size;
    uint8_t *data; /* NULL: in its file */
};

struct push_queue {
    pthread_mutex_t lock;
    pthread_cond_t news;
    size_t room;
    char journal[PATH_ROOM];
    struct entry *first;
    struct entry **end;
    uint64_t next_number;
    size_t bytes;
    struct push_queue_state state;
};

/* ---- Files ---------------------------------------------------------------------------------- */

static bool path_of(const struct push_queue *queue, uint64_t number, uint32_t points,
                    const char *ending, char to[PATH_ROOM + NAME_ROOM])
{
    int size = snprintf(to, PATH_ROOM + NAME_ROOM, "%s/%020" PRIu64 "-%" PRIu32 ".%s",
                        queue->journal, number, points, ending);
    return size > 0 && size < PATH_ROOM + NAME_ROOM;
}

static bool write_all(int file, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(file, data, size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_file(const struct push_queue *queue, const struct entry *entry)
{
    char path[PATH_ROOM + NAME_ROOM], whole[PATH_ROOM + NAME_ROOM];
    if (!path_of(queue, entry->number, entry->points, "part", path) ||
        !path_of(queue, entry->number, entry->points, "push", whole)) {
        return false;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return false;
    }
    bool done = write_all(file, entry->data, entry->size);
    done = close(file) == 0 && done && rename(path, whole) == 0;
    if (!done) {
        unlink(path);
    }
    return done;
}

/* The body of an entry; NULL when its file is not what it was. */
static uint8_t *read_entry(const struct push_queue *queue, const struct entry *entry)
{
    char path[PATH_ROOM + NAME_ROOM];
    uint8_t *data = malloc(entry->size + 1);
    if (data == NULL) {
        return NULL;
    }
    if (entry->data != NULL) {
        memcpy(data, entry->data, entry->size);
        return data;
    }
    path_of(queue, entry->number, entry->points, "push", path);
    FILE *file = fopen(path, "rbe");
    bool done = file != NULL && fread(data, 1, entry->size + 1, file) == entry->size;
    if (file != NULL) {
        fclose(file);
    }
    if (!done) {
        free(data);
    }
    return done ? data : NULL;
}

/* ---- The list ------------------------------------------------------------------------------- */

/* Takes the first one off; the lock is held. */
static void drop_first(struct push_queue *queue)
{
    struct entry *entry = queue->first;
    char path[PATH_ROOM + NAME_ROOM];
    queue->first = entry->next;
    queue->end = queue->first == NULL ? &queue->first : queue->end;
    queue->bytes -= entry->size;
    queue->state.bodies--;
    queue->state.points -= entry->points;
    if (entry->data == NULL && path_of(queue, entry->number, entry->points, "push", path)) {
        unlink(path);
    }
    free(entry->data);
    free(entry);
}

static void make_room(struct push_queue *queue, size_t size)
{
    while (queue->first != NULL && queue->bytes + size > queue->room) {
        queue->state.lost += queue->first->points;
        drop_first(queue);
    }
}

static void append(struct push_queue *queue, struct entry *entry)
{
    make_room(queue, entry->size);
    *queue->end = entry;
    queue->end = &entry->next;
    queue->bytes += entry->size;
    queue->state.bodies++;
    queue->state.points += entry->points;
    if (entry->number >= queue->next_number) {
        queue->next_number = entry->number + 1;
    }
}

void push_queue_put(struct push_queue *queue, struct span body, uint32_t points)
{
    struct entry *entry = calloc(1, sizeof *entry);
    uint8_t *data = malloc(body.size + 1);
    pthread_mutex_lock(&queue->lock);
    if (entry == NULL || data == NULL || body.size > queue->room || body.size > BODY_MAX) {
        queue->state.lost += points;
        free(entry);
        free(data);
    } else {
        memcpy(data, body.data, body.size);
        *entry = (struct entry){
            .number = queue->next_number, .points = points, .size = body.size, .data = data};
        append(queue, entry);
        pthread_cond_signal(&queue->news);
    }
    pthread_mutex_unlock(&queue->lock);
}

/* ---- The journal ---------------------------------------------------------------------------- */

static int is_body(const struct dirent *item)
{
    size_t size = strlen(item->d_name);
    return size > 5 && strcmp(item->d_name + size - 5, ".push") == 0;
}

/* What an earlier run left; names have numbers of one length, so that their order is that of time. */
static bool read_journal(struct push_queue *queue, struct err *err)
{
    struct dirent **items = NULL;
    if (mkdir(queue->journal, 0700) != 0 && errno != EEXIST) {
        return err_set(err, ERR_FAILED, "journal: cannot make the directory %s: %s",
                       queue->journal, strerror(errno));
    }
    int count = scandir(queue->journal, &items, is_body, alphasort);
    if (count < 0 || access(queue->journal, W_OK) != 0) {
        free(items);
        return err_set(err, ERR_FAILED, "journal: cannot use the directory %s: %s",
                       queue->journal, strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        struct entry *entry = calloc(1, sizeof *entry);
        char path[PATH_ROOM + NAME_ROOM];
        struct stat found;
        if (entry != NULL &&
            sscanf(items[i]->d_name, "%" SCNu64 "-%" SCNu32 ".push", &entry->number,
                   &entry->points) == 2 &&
            path_of(queue, entry->number, entry->points, "push", path) &&
            stat(path, &found) == 0 && found.st_size <= BODY_MAX) {
            entry->size = (size_t)found.st_size;
            append(queue, entry);
        } else {
            free(entry);
        }
        free(items[i]);
    }
    free(items);
    return true;
}

/* The first that is in memory alone; NULL: none. The lock is held. */
static struct entry *unwritten(const struct push_queue *queue)
{
    struct entry *e = queue->journal[0] != '\0' ? queue->first : NULL;
    while (e != NULL && e->data == NULL) {
        e = e->next;
    }
    return e;
}

/* It was written, meanwhile without the lock: unless it had to go, its file is all of it now. */
static void settle(struct push_queue *queue, const struct entry *written, bool done)
{
    struct entry *e = queue->first;
    char path[PATH_ROOM + NAME_ROOM];
    while (e != NULL && e->number != written->number) {
        e = e->next;
    }
    queue->state.has_trouble = !done;
    if (e != NULL && done) {
        free(e->data);
        e->data = NULL;
    } else if (done && path_of(queue, written->number, written->points, "push", path)) {
        unlink(path);
    }
}

/* The disk may be slow, and who puts must not wait for it. */
void push_queue_save(struct push_queue *queue)
{
    struct entry *e;
    bool done = true;
    pthread_mutex_lock(&queue->lock);
    while (done && (e = unwritten(queue)) != NULL) {
        struct entry copy = *e;
        copy.data = malloc(e->size + 1);
        if (copy.data == NULL) {
            break;
        }
        memcpy(copy.data, e->data, e->size);
        pthread_mutex_unlock(&queue->lock);
        done = write_file(queue, &copy);
        pthread_mutex_lock(&queue->lock);
        settle(queue, &copy, done);
        free(copy.data);
    }
    pthread_mutex_unlock(&queue->lock);
}

/* ---- Taking --------------------------------------------------------------------------------- */

bool push_queue_first(struct push_queue *queue, unsigned wait_ms, struct push_item *ret)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)wait_ms % 1000 * 1000000;
    until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&queue->lock);
    if (queue->first == NULL) {
        pthread_cond_timedwait(&queue->news, &queue->lock, &until);
    }
    *ret = (struct push_item){0};
    while (queue->first != NULL && ret->data == NULL) {
        struct entry *e = queue->first;
        *ret = (struct push_item){
            .data = read_entry(queue, e), .size = e->size, .points = e->points,
            .number = e->number};
        if (ret->data == NULL) { /* somebody else's hand was in the directory */
            queue->state.lost += e->points;
            drop_first(queue);
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return ret->data != NULL;
}

void push_queue_done(struct push_queue *queue, uint64_t number)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->first != NULL && queue->first->number == number) {
        drop_first(queue);
    }
    pthread_mutex_unlock(&queue->lock);
}

/* ---- Lifetime ------------------------------------------------------------------------------- */

struct push_queue *push_queue_new(size_t bytes, const char *journal, struct err *err)
{
    struct push_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL || strlen(journal) >= PATH_ROOM) {
        err_set(err, ERR_FAILED, "journal: no memory, or too long a path");
        free(queue);
        return NULL;
    }
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->news, NULL);
    queue->room = bytes;
    queue->end = &queue->first;
    snprintf(queue->journal, sizeof queue->journal, "%s", journal);
    if (journal[0] != '\0' && !read_journal(queue, err)) {
        push_queue_free(queue);
        return NULL;
    }
    return queue;
}

void push_queue_free(struct push_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    while (queue->first != NULL) {
        struct entry *entry = queue->first;
        queue->first = entry->next;
        free(entry->data);
        free(entry);
    }
    pthread_cond_destroy(&queue->news);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

struct push_queue_state push_queue_state(struct push_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct push_queue_state state = queue->state;
    pthread_mutex_unlock(&queue->lock);
    return state;
}
