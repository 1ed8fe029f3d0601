// SPDX-License-Identifier: Apache-2.0
/* What a user of Packetbeat said, as one document: his files, one over the other, what the command line
 * sets on top (-E), and variables filled in. Says nothing of what it means. Cold path. */
#pragma once

#include "base/err.h"
#include "base/node.h"

enum {
    BEAT_PLACE = 4224,  /* room for a place as text */
    BEAT_SETTING = 255, /* node.file: it was said with -E */
};

struct beat_source {
    const char *const *files; /* at least one */
    size_t file_count;
    const char *const *settings; /* KEY=VALUE */
    size_t setting_count;
    const char *home;         /* path.home and its like; NULL: not given */
    const char *config;
    const char *data;
    const char *logs;
    bool strict_permissions;  /* files are to be their owner's alone */
};

/* The name of the file that a node comes from. */
const char *beat_source_file(const struct beat_source *source, const struct node *node);
/* "FILE:LINE:COLUMN: " of a node, or "-E: "; nothing where it has no place, or is NULL. */
const char *beat_source_place(const struct beat_source *source, const struct node *node,
                              char ret[BEAT_PLACE]);

/* Where the keystore is by these files and settings, whether or not what they refer to is in it; NULL
 * and err. */
const char *beat_source_keystore(struct nodes *tree, const struct beat_source *source, struct err *err);

/* Reads it all; NULL and err, with the place in front, when something is wrong. */
struct node *beat_source_read(struct nodes *tree, const struct beat_source *source, struct err *err);
