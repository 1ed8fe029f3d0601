// SPDX-License-Identifier: Apache-2.0
#include "engine/socket_table.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

enum {
    INDEX_SIZE = 4 * SOCKET_TABLE_MAX,
    DESCRIPTORS_MAX = 1 << 18, /* that one search looks at */
    SHARE = 9,                 /* a search is followed by a pause of so many times its length */
    INODE_FIELD = 9,           /* of a line of /proc/net/tcp, from 0 */
};

static const uint64_t second_ns = 1000000000;
static const uint64_t miss_ns = 200000000;                 /* between two looks for what was missed */
static const uint64_t owner_ns = UINT64_C(10) * 1000000000; /* then an owner is looked for again */
static const uint64_t keep_ns = UINT64_C(300) * 1000000000;

struct place_key {
    uint8_t address[16];
    uint16_t port;
    uint16_t is_udp;
};

struct entry {
    struct place_key key;
    int32_t pid;       /* 0: not known */
    uint64_t inode;
    uint64_t seen_ns;
    uint64_t asked_ns; /* when its owner was looked for last; 0: never */
};

struct wanted {
    uint64_t inode;
    uint32_t entry;
};

struct socket_table {
    struct process_list *processes;
    uint64_t seed;
    uint64_t looked_ns;
    uint64_t next_ns; /* no look before this */
    uint32_t count;
    uint32_t wanted_count;
    uint32_t index[INDEX_SIZE]; /* of an entry, plus 1 */
    struct entry entries[SOCKET_TABLE_MAX];
    struct wanted wanted[SOCKET_TABLE_MAX];
};

struct socket_table *socket_table_new(struct process_list *processes)
{
    struct socket_table *table = calloc(1, sizeof *table);
    if (table != NULL) {
        table->processes = processes;
        table->seed = hash_seed();
    }
    return table;
}

void socket_table_free(struct socket_table *table)
{
    free(table);
}

static uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * second_ns + (uint64_t)now.tv_nsec;
}

/* ---- The table ------------------------------------------------------------------------------- */

/* The place in the index of a key, or where it would be: the index is never more than a quarter full. */
static uint32_t *place_of(struct socket_table *table, const struct place_key *key)
{
    uint64_t at = hash64(key, sizeof *key, table->seed);
    for (;; at++) {
        uint32_t *place = &table->index[at % INDEX_SIZE];
        if (*place == 0 || memcmp(&table->entries[*place - 1].key, key, sizeof *key) == 0) {
            return place;
        }
    }
}

/* Those that were not seen for long go, and the index is made anew. */
static void forget_old(struct socket_table *table, uint64_t now_ns)
{
    uint32_t kept = 0;
    memset(table->index, 0, sizeof table->index);
    for (uint32_t i = 0; i < table->count; i++) {
        if (now_ns - table->entries[i].seen_ns < keep_ns) {
            table->entries[kept] = table->entries[i];
            *place_of(table, &table->entries[kept].key) = kept + 1;
            kept++;
        }
    }
    table->count = kept;
}

static void note(struct socket_table *table, const struct place_key *key, uint64_t inode,
                 uint64_t now_ns)
{
    uint32_t *place = place_of(table, key);
    if (*place == 0) {
        if (table->count == SOCKET_TABLE_MAX) {
            return;
        }
        table->entries[table->count] = (struct entry){.key = *key, .inode = inode};
        *place = ++table->count;
    }
    struct entry *entry = &table->entries[*place - 1];
    bool is_settled = now_ns - entry->asked_ns < owner_ns && entry->pid != 0;
    bool is_first = entry->seen_ns != now_ns; /* of those that share the place, in this look */
    if (is_first && entry->inode != inode && !is_settled) {
        entry->inode = inode;
        entry->asked_ns = 0;
    }
    entry->seen_ns = now_ns;
}

/* ---- /proc/net ------------------------------------------------------------------------------- */

/* "0100007F:1F90": words of four bytes in the machine's order, then the port. */
static bool read_place(const char *text, struct place_key *key)
{
    const char *colon = strchr(text, ':');
    size_t digits = colon != NULL ? (size_t)(colon - text) : 0;
    if (digits != 8 && digits != 32) {
        return false;
    }
    if (digits == 8) {
        memset(key->address + 10, 0xff, 2);
    }
    uint8_t *to = key->address + 16 - digits / 2;
    for (size_t i = 0; i < digits; i += 8) {
        char word[9] = "";
        memcpy(word, text + i, 8);
        uint32_t value = (uint32_t)strtoul(word, NULL, 16);
        memcpy(to + i / 2, &value, sizeof value);
    }
    key->port = (uint16_t)strtoul(colon + 1, NULL, 16);
    return true;
}

static void note_line(struct socket_table *table, char *line, bool is_udp, uint64_t now_ns)
{
    struct place_key key = {.is_udp = is_udp};
    bool has_place = false;
    char *rest = NULL;
    char *field = strtok_r(line, " \n", &rest);
    for (int i = 0; field != NULL && i <= INODE_FIELD; i++, field = strtok_r(NULL, " \n", &rest)) {
        if (i == 1) {
            has_place = read_place(field, &key);
        } else if (i == INODE_FIELD && has_place) {
            uint64_t inode = strtoull(field, NULL, 10);
            if (inode != 0) { /* 0: it closed */
                note(table, &key, inode, now_ns);
            }
        }
    }
}

static void read_sockets(struct socket_table *table, const char *path, bool is_udp, uint64_t now_ns)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    if (file == NULL) {
        return; /* no IPv6 */
    }
    for (uint32_t i = 0; i < 4 * SOCKET_TABLE_MAX && getline(&line, &room, file) > 0; i++) {
        note_line(table, line, is_udp, now_ns);
    }
    free(line);
    fclose(file);
}

/* ---- Owners ---------------------------------------------------------------------------------- */

static int by_inode(const void *a, const void *b)
{
    uint64_t first = ((const struct wanted *)a)->inode, second = ((const struct wanted *)b)->inode;
    return first < second ? -1 : first > second;
}

/* Sockets whose owner is to be found; of those whose owner may not be seen, not again soon. */
static void list_wanted(struct socket_table *table, uint64_t now_ns)
{
    table->wanted_count = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        struct entry *entry = &table->entries[i];
        bool is_due = entry->asked_ns == 0 ||
                      (entry->pid == 0 && now_ns - entry->asked_ns >= owner_ns);
        if (entry->seen_ns == now_ns && is_due) {
            entry->asked_ns = now_ns;
            table->wanted[table->wanted_count++] = (struct wanted){entry->inode, i};
        }
    }
    qsort(table->wanted, table->wanted_count, sizeof *table->wanted, by_inode);
}

static void found(struct socket_table *table, uint64_t inode, int32_t pid, uint64_t now_ns)
{
    struct wanted key = {.inode = inode};
    const struct wanted *wanted = bsearch(&key, table->wanted, table->wanted_count, sizeof key,
                                          by_inode);
    if (wanted != NULL) {
        table->entries[wanted->entry].pid = pid;
        (void)process_list_get(table->processes, pid, now_ns);
    }
}

/* Looks at what a process has open; returns how many descriptors that were. */
static uint32_t search_process(struct socket_table *table, int32_t pid, uint64_t now_ns)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    uint32_t seen = 0;
    if (folder == NULL) {
        return 1; /* another user's, or gone */
    }
    for (const struct dirent *one; seen < DESCRIPTORS_MAX && (one = readdir(folder)) != NULL;) {
        char target[64];
        ssize_t size = readlinkat(dirfd(folder), one->d_name, target, sizeof target - 1);
        target[size > 0 ? size : 0] = '\0';
        if (strncmp(target, "socket:[", 8) == 0) {
            found(table, strtoull(target + 8, NULL, 10), pid, now_ns);
        }
        seen++;
    }
    closedir(folder);
    return seen;
}

static void search_owners(struct socket_table *table, uint64_t now_ns)
{
    DIR *folder = opendir("/proc");
    uint32_t seen = 0;
    if (folder == NULL) {
        return;
    }
    for (const struct dirent *one; seen < DESCRIPTORS_MAX && (one = readdir(folder)) != NULL;) {
        int32_t pid = (int32_t)strtol(one->d_name, NULL, 10);
        if (pid > 0) {
            seen += search_process(table, pid, now_ns);
        }
    }
    closedir(folder);
}

static void look(struct socket_table *table, uint64_t now_ns)
{
    uint64_t began = clock_now();
    forget_old(table, now_ns);
    read_sockets(table, "/proc/net/tcp", false, now_ns);
    read_sockets(table, "/proc/net/tcp6", false, now_ns);
    read_sockets(table, "/proc/net/udp", true, now_ns);
    read_sockets(table, "/proc/net/udp6", true, now_ns);
    list_wanted(table, now_ns);
    if (table->wanted_count > 0) {
        search_owners(table, now_ns);
    }
    uint64_t pause = SHARE * (clock_now() - began);
    table->looked_ns = now_ns;
    table->next_ns = now_ns + (pause > miss_ns ? pause : miss_ns);
}

void socket_table_poll(struct socket_table *table, uint64_t now_ns)
{
    if (now_ns >= table->next_ns && now_ns - table->looked_ns >= second_ns) {
        look(table, now_ns);
    }
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static int32_t owner_of(struct socket_table *table, const struct place_key *key)
{
    uint32_t place = *place_of(table, key);
    return place != 0 ? table->entries[place - 1].pid : 0;
}

static int32_t find(struct socket_table *table, const struct socket_place *place)
{
    struct place_key key = {.port = place->port, .is_udp = place->is_udp};
    memcpy(key.address, place->address, sizeof key.address);
    int32_t pid = owner_of(table, &key);
    if (pid != 0 || !place->is_here) {
        return pid;
    }
    memset(key.address, 0, sizeof key.address); /* any address of IPv6, and of IPv4 often */
    int32_t any = owner_of(table, &key);
    memset(key.address + 10, 0xff, 2); /* any address of IPv4 */
    pid = owner_of(table, &key);
    return pid != 0 ? pid : any;
}

int32_t socket_table_find(struct socket_table *table, const struct socket_place *place,
                          uint64_t now_ns)
{
    int32_t pid = find(table, place);
    if (pid == 0 && place->is_here && now_ns >= table->next_ns) {
        look(table, now_ns);
        pid = find(table, place);
    }
    return pid;
}
