// SPDX-License-Identifier: Apache-2.0
#include "engine/process_list.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLACES = 1024, STAT_MAX = 2048, START_FIELD = 19 /* behind the state's, from 0 */ };

static const uint64_t fresh_ns = UINT64_C(30) * 1000000000;

struct process_list {
    uint64_t boot_ns; /* since 1970 */
    uint64_t tick_ns;
    struct process_info places[PLACES]; /* by pid */
};

/* Reads a small file of a process whole, or its beginning; -1 when it cannot. A zero byte follows. */
static ssize_t read_file(int32_t pid, const char *name, char *to, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    ssize_t size = read(file, to, room - 1);
    close(file);
    to[size > 0 ? size : 0] = '\0';
    return size;
}

static void read_link(int32_t pid, const char *name, char to[PROCESS_PATH_MAX])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    ssize_t size = readlink(path, to, PROCESS_PATH_MAX - 1);
    to[size > 0 ? size : 0] = '\0';
}

static uint64_t boot_time_ns(void)
{
    FILE *file = fopen("/proc/stat", "re");
    char *line = NULL;
    size_t room = 0;
    unsigned long long seconds = 0;
    while (file != NULL && seconds == 0 && getline(&line, &room, file) > 0) {
        if (strncmp(line, "btime ", 6) == 0) {
            seconds = strtoull(line + 6, NULL, 10);
        }
    }
    free(line);
    if (file != NULL) {
        fclose(file);
    }
    return seconds * UINT64_C(1000000000);
}

struct process_list *process_list_new(void)
{
    struct process_list *list = calloc(1, sizeof *list);
    if (list != NULL) {
        long ticks = sysconf(_SC_CLK_TCK);
        list->boot_ns = boot_time_ns();
        list->tick_ns = UINT64_C(1000000000) / (uint64_t)(ticks > 0 ? ticks : 100);
    }
    return list;
}

void process_list_free(struct process_list *list)
{
    free(list);
}

/* "PID (NAME) STATE PARENT ...": the name may have anything in it, so its end is the last bracket. */
static bool read_stat(const struct process_list *list, struct process_info *info)
{
    char text[STAT_MAX];
    if (read_file(info->pid, "stat", text, sizeof text) <= 0) {
        return false;
    }
    char *name = strchr(text, '(');
    char *end = strrchr(text, ')');
    if (name == NULL || end == NULL || end < name || end[1] == '\0') {
        return false;
    }
    *end = '\0';
    snprintf(info->name, sizeof info->name, "%s", name + 1);
    char *rest = NULL;
    char *field = strtok_r(end + 2, " ", &rest);
    for (int i = 0; field != NULL; i++, field = strtok_r(NULL, " ", &rest)) {
        if (i == 1) {
            info->parent = (int32_t)strtol(field, NULL, 10);
        } else if (i == START_FIELD) {
            info->start_ns = list->boot_ns + strtoull(field, NULL, 10) * list->tick_ns;
            return true;
        }
    }
    return false;
}

static bool read_process(const struct process_list *list, struct process_info *info)
{
    if (!read_stat(list, info)) {
        return false;
    }
    ssize_t size = read_file(info->pid, "cmdline", info->arguments, sizeof info->arguments);
    info->arguments_size = size > 0 ? (uint32_t)size : 0;
    read_link(info->pid, "exe", info->program);
    read_link(info->pid, "cwd", info->directory);
    return true;
}

const struct process_info *process_list_get(struct process_list *list, int32_t pid, uint64_t now_ns)
{
    struct process_info *place = &list->places[(uint32_t)pid % PLACES];
    bool is_known = place->pid == pid;
    if (is_known && now_ns - place->read_ns < fresh_ns) {
        return place;
    }
    struct process_info info = {.pid = pid, .read_ns = now_ns};
    if (read_process(list, &info)) {
        *place = info;
        return place;
    }
    return is_known ? place : NULL; /* it ended; what it was stays true */
}
