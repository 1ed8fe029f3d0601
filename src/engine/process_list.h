// SPDX-License-Identifier: Apache-2.0
/* What /proc says of processes: name, program, arguments, parent, start. A fixed number of them is
 * kept, so that one that ended a moment ago is still known; what is older than half a minute is read
 * again. Off the packet path, one thread. */
#pragma once

#include "base/span.h"

enum { PROCESS_ARGUMENTS_MAX = 1024, PROCESS_PATH_MAX = 256 };

struct process_info {
    int32_t pid;        /* 0: a place that is free */
    int32_t parent;
    uint64_t start_ns;  /* since 1970 */
    uint64_t read_ns;   /* monotonic */
    char name[64];
    char program[PROCESS_PATH_MAX];   /* "" where it may not be seen */
    char directory[PROCESS_PATH_MAX]; /* likewise */
    uint32_t arguments_size;
    char arguments[PROCESS_ARGUMENTS_MAX]; /* each with a zero byte behind it; cut at the end */
};

struct process_list; /* opaque; 1.8 MB */

/* NULL without memory. */
struct process_list *process_list_new(void);
void process_list_free(struct process_list *list);

/* NULL when there is no such process. Borrowed until the next call. */
const struct process_info *process_list_get(struct process_list *list, int32_t pid, uint64_t now_ns);
