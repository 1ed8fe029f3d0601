// SPDX-License-Identifier: Apache-2.0
/* Private to geo/: the file of a database, and the newer one that takes its place. What is looked up in
 * is a copy in memory: who overwrites the file does not pull it away under a look-up. Look-ups hold a
 * version by a count and never wait; the one thread that refreshes waits for them, a round at a time. */
#pragma once

#include <maxminddb.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/err.h"

struct geo_version {
    MMDB_s base;
    bool is_open;
    _Atomic uint32_t readers;
};

struct geo_file {
    char *path;
    struct geo_version versions[2];
    _Atomic uint32_t current;    /* counts up with each version; its last bit is the place */
    struct stat seen;            /* of the file as it was tried last */
};

bool geo_file_open(struct geo_file *file, const char *path, struct err *err);
void geo_file_close(struct geo_file *file);

/* Borrows the version that holds, until given back; *ret_number is its number. */
const MMDB_s *geo_file_take(struct geo_file *file, uint32_t *ret_number);
void geo_file_give(struct geo_file *file, uint32_t number);

enum geo_news { GEO_SAME, GEO_NEW, GEO_BAD };

/* Opens the file anew when it is another one than before; GEO_BAD and err, once, when that is none of a
 * database: the old one stays. One thread. */
enum geo_news geo_file_refresh(struct geo_file *file, struct err *err);
