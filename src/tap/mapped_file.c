// SPDX-License-Identifier: Apache-2.0
#include "tap/mapped_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    LEASE_SIGNAL = SIGURG, /* nobody dies of it */
    STRIDE = 2 << 20, /* of windows, each of which begins at a multiple: the kernel maps that at
                       * once, where it has it in one piece */
    LENT = MAPPED_FILE_AHEAD,
    WINDOW = STRIDE + MAPPED_FILE_HAVE + 2 * LENT,
    STEP = 256 << 10, /* pages brought in at once */
};

struct mapped_file {
    int fd;
    uint64_t size;
    uint64_t page;    /* bytes */
    pthread_t keeper; /* of the lease */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic bool is_lost;
    bool has_net;
    struct sigaction before; /* who handled SIGBUS */
    /* changed with the lock held */
    uint8_t *window;
    uint64_t start; /* of the window, bytes of the file */
    uint64_t ready; /* up to here all pages are there */
    bool has_begun; /* the keeper: is_leased is known */
    bool is_leased;
    bool is_wanted; /* by a writer */
    bool is_ending;
};

/* File systems whose files nobody changes behind this kernel's back: of others' a lease says
 * nothing. */
static bool is_local(int fd)
{
    static const uint32_t local[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                     F2FS_SUPER_MAGIC, TMPFS_MAGIC,     OVERLAYFS_SUPER_MAGIC};
    struct statfs of;
    if (fstatfs(fd, &of) < 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        if ((uint32_t)of.f_type == local[i]) {
            return true;
        }
    }
    return false;
}

/* ---- The lease ------------------------------------------------------------------------------ */

/* Takes the lease, whose end this thread is to hear of. */
static bool take_lease(int fd)
{
    struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()};
    return fcntl(fd, F_SETSIG, LEASE_SIGNAL) == 0 && fcntl(fd, F_SETOWN_EX, &owner) == 0 &&
           fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What was lent of the window, as a copy. NULL when there is no memory, or it cannot be read. */
static uint8_t *copy_window(const struct mapped_file *map)
{
    uint8_t *copy = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) {
        return NULL;
    }
    uint64_t end = least(map->ready, map->size);
    for (uint64_t at = map->start; at < end;) {
        ssize_t n = pread(map->fd, copy + (at - map->start), end - at, (off_t)at);
        if (n <= 0) {
            munmap(copy, WINDOW);
            return NULL;
        }
        at += (uint64_t)n;
    }
    return copy;
}

/* Puts a copy in the window's place and lets the lease go; the reader may be amid it. Where that
 * cannot be, the writer waits until the reader asks for more. */
static void give_way(struct mapped_file *map)
{
    map->is_wanted = true;
    if (map->window != NULL) {
        uint8_t *copy = copy_window(map);
        if (copy == NULL || mremap(copy, WINDOW, WINDOW, MREMAP_MAYMOVE | MREMAP_FIXED,
                                   map->window) == MAP_FAILED) {
            return;
        }
    }
    fcntl(map->fd, F_SETLEASE, F_UNLCK);
    map->is_leased = false;
}

static void *keep_lease(void *argument)
{
    struct mapped_file *map = argument;
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, LEASE_SIGNAL);
    pthread_mutex_lock(&map->lock);
    map->is_leased = take_lease(map->fd);
    map->has_begun = true;
    pthread_cond_signal(&map->changed);
    pthread_mutex_unlock(&map->lock);
    int signal;
    sigwait(&awaited, &signal);
    pthread_mutex_lock(&map->lock);
    if (map->is_leased && !map->is_ending) {
        give_way(map);
    }
    pthread_mutex_unlock(&map->lock);
    return NULL;
}

/* Starts the keeper, which hears no other signal. Whether it has the lease. */
static bool start_keeper(struct mapped_file *map)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_running = pthread_create(&map->keeper, NULL, keep_lease, map) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!is_running) {
        return false;
    }
    pthread_mutex_lock(&map->lock);
    while (!map->has_begun) {
        pthread_cond_wait(&map->changed, &map->lock);
    }
    bool is_leased = map->is_leased;
    pthread_mutex_unlock(&map->lock);
    return is_leased;
}

static void end_keeper(struct mapped_file *map)
{
    pthread_mutex_lock(&map->lock);
    map->is_ending = true;
    pthread_mutex_unlock(&map->lock);
    pthread_kill(map->keeper, LEASE_SIGNAL);
    pthread_join(map->keeper, NULL);
}

/* ---- The window ----------------------------------------------------------------------------- */

static void drop_window(struct mapped_file *map)
{
    if (map->window != NULL) {
        munmap(map->window, WINDOW);
        map->window = NULL;
    }
}

/* Whether `at` is in the window and so far from its end that a record which begins there is, too.
 */
static bool is_inside(const struct mapped_file *map, uint64_t at)
{
    return map->window != NULL && at >= map->start && at - map->start < STRIDE;
}

static bool move_window(struct mapped_file *map, uint64_t at)
{
    drop_window(map);
    map->start = at - at % STRIDE;
    map->ready = at - at % map->page;
    void *there = mmap(NULL, WINDOW, PROT_READ, MAP_SHARED, map->fd, (off_t)map->start);
    if (there == MAP_FAILED) {
        return false;
    }
    map->window = there;
    return true;
}

/* Brings in the pages up to `to` and some more, but beyond the stride no more than is wanted: they
 * are in the next window as well. */
static bool bring_in(struct mapped_file *map, uint64_t to)
{
    uint64_t end = least(to + STEP, map->start + STRIDE);
    end = least(end > to ? end : to, map->size) + map->page - 1;
    end -= end % map->page;
    if (madvise(map->window + (map->ready - map->start), end - map->ready, MADV_POPULATE_READ) <
        0) {
        return false;
    }
    map->ready = end;
    return true;
}

/* Makes the bytes from `at` to `to` ready. */
static bool reach(struct mapped_file *map, uint64_t at, uint64_t to)
{
    pthread_mutex_lock(&map->lock);
    bool is_there = !map->is_wanted && (is_inside(map, at) || move_window(map, at)) &&
                    (to <= map->ready || bring_in(map, to));
    pthread_mutex_unlock(&map->lock);
    return is_there;
}

struct span mapped_file_bytes(struct mapped_file *map, uint64_t at, size_t have)
{
    assert(have <= MAPPED_FILE_HAVE);
    uint64_t end = least(at + have + LENT, map->size);
    uint64_t next = least(end + LENT, map->size);
    if (end <= at + have || mapped_file_is_lost(map)) {
        return span_of(NULL, 0);
    }
    if ((!is_inside(map, at) || next > map->ready) && !reach(map, at, next)) {
        return span_of(NULL, 0);
    }
    return span_of(map->window + (at - map->start), (size_t)(end - at));
}

/* ---- The net -------------------------------------------------------------------------------- */

/* The map whose pages may be gone: a handler of signals has no other way to it. */
static struct mapped_file *_Atomic netted;

/* Puts zeros from the page at `address` on, if it is one of the window. */
static bool put_zeros(struct mapped_file *map, uintptr_t address)
{
    uintptr_t window = (uintptr_t)map->window;
    if (window == 0 || address < window || address - window >= WINDOW) {
        return false;
    }
    size_t at = address - window - address % map->page;
    atomic_store(&map->is_lost, true);
    return mmap(map->window + at, WINDOW - at, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0) != MAP_FAILED;
}

/* In the thread that looked at the page. What is not ours comes again, to whom it came before. */
static void catch_lost_page(int signal, siginfo_t *info, void *context)
{
    (void)context;
    int error = errno;
    struct mapped_file *map = atomic_load(&netted);
    if (map == NULL || !put_zeros(map, (uintptr_t)info->si_addr)) {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(signal, map != NULL ? &map->before : &plain, NULL);
    }
    errno = error;
}

/* False where another map has the net. */
static bool spread_net(struct mapped_file *map)
{
    struct mapped_file *none = NULL;
    struct sigaction action = {.sa_sigaction = catch_lost_page, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    map->has_net = atomic_compare_exchange_strong(&netted, &none, map);
    return map->has_net && sigaction(SIGBUS, &action, &map->before) == 0;
}

static void take_net(struct mapped_file *map)
{
    if (map->has_net) {
        sigaction(SIGBUS, &map->before, NULL);
        atomic_store(&netted, NULL);
    }
}

bool mapped_file_is_lost(const struct mapped_file *map)
{
    return atomic_load(&map->is_lost);
}

/* ---- Life ----------------------------------------------------------------------------------- */

/* The file's size does not change any more once the lease is taken. */
static bool find_size(struct mapped_file *map)
{
    struct stat of;
    if (fstat(map->fd, &of) < 0 || !S_ISREG(of.st_mode)) {
        return false;
    }
    map->size = (uint64_t)of.st_size;
    return true;
}

struct mapped_file *mapped_file_open(int fd)
{
    struct mapped_file *map = is_local(fd) ? calloc(1, sizeof *map) : NULL;
    if (map == NULL) {
        return NULL;
    }
    map->fd = fd;
    map->page = (uint64_t)sysconf(_SC_PAGESIZE);
    pthread_mutex_init(&map->lock, NULL);
    pthread_cond_init(&map->changed, NULL);
    if (!spread_net(map) || !start_keeper(map) || !find_size(map)) {
        mapped_file_close(map);
        return NULL;
    }
    return map;
}

void mapped_file_close(struct mapped_file *map)
{
    if (map == NULL) {
        return;
    }
    if (map->has_begun) {
        end_keeper(map);
    }
    drop_window(map);
    take_net(map);
    if (map->is_leased) {
        fcntl(map->fd, F_SETLEASE, F_UNLCK);
    }
    pthread_cond_destroy(&map->changed);
    pthread_mutex_destroy(&map->lock);
    free(map);
}
