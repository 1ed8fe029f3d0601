// SPDX-License-Identifier: Apache-2.0
#include "engine/attribution.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/socket_table.h"
#include "event/networks.h"
#include "tap/interfaces.h"

enum { ARGUMENTS_SHOWN = 64 };

static const uint64_t addresses_ns = UINT64_C(30) * 1000000000;

struct attribution {
    const struct config_processes *settings;
    struct process_list *processes;
    struct socket_table *sockets;
    struct networks here; /* this machine's addresses */
    uint64_t here_ns;     /* when they were read; 0: never */
};

static uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static bool names_are_good(const struct config_processes *settings, struct err *err)
{
    for (size_t i = 0; i < settings->names.count; i++) {
        const char *text = settings->names.items[i];
        const char *equals = strchr(text, '=');
        if (equals == NULL || equals == text || equals[1] == '\0') {
            return err_set(err, ERR_USAGE, "processes.names: '%s' is not NAME=PART", text);
        }
    }
    return true;
}

struct attribution *attribution_new(const struct config_processes *settings, struct err *err)
{
    if (!names_are_good(settings, err)) {
        return NULL;
    }
    struct attribution *a = calloc(1, sizeof *a);
    if (a != NULL) {
        a->settings = settings;
        a->processes = process_list_new();
        a->sockets = a->processes != NULL ? socket_table_new(a->processes) : NULL;
    }
    if (a == NULL || a->sockets == NULL) {
        attribution_free(a);
        err_set(err, ERR_FAILED, "out of memory for processes");
        return NULL;
    }
    return a;
}

void attribution_free(struct attribution *a)
{
    if (a != NULL) {
        socket_table_free(a->sockets);
        process_list_free(a->processes);
        free(a);
    }
}

/* ---- This machine ---------------------------------------------------------------------------- */

static void read_addresses(struct attribution *a, uint64_t now_ns)
{
    struct interfaces list;
    struct err err = {0};
    a->here_ns = now_ns;
    a->here = (struct networks){0};
    (void)networks_add(&a->here, span_str("loopback"), &err);
    if (!interfaces_read(&list, &err)) {
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        char *rest = list.entries[i].addresses;
        for (char *one; (one = strsep(&rest, " ")) != NULL;) {
            one[strcspn(one, "/")] = '\0';
            if (one[0] != '\0') {
                (void)networks_add(&a->here, span_str(one), &err); /* beyond its room: not ours */
            }
        }
    }
    interfaces_done(&list);
}

static void look_around(struct attribution *a)
{
    uint64_t now_ns = clock_now();
    if (a->here_ns == 0 || now_ns - a->here_ns >= addresses_ns) {
        read_addresses(a, now_ns);
    }
    socket_table_poll(a->sockets, now_ns);
}

/* ---- Events ---------------------------------------------------------------------------------- */

/* The end of an event; false when it has none that a socket could hold. */
static bool read_end(const struct attribution *a, const struct node *event, const struct node *end,
                     struct socket_place *ret)
{
    const struct node *address = node_member(end, span_str("ip"));
    const struct node *port = node_member(end, span_str("port"));
    const struct node *transport = node_find(event, span_str("network.transport"));
    struct networks_address read;
    if (address == NULL || port == NULL || transport == NULL || port->text.size > 5 ||
        !networks_address_read(address->text, &read)) {
        return false;
    }
    char digits[8] = "";
    memcpy(digits, port->text.data, port->text.size);
    *ret = (struct socket_place){.port = (uint16_t)strtoul(digits, NULL, 10),
                                 .is_udp = node_is(transport, "udp"),
                                 .is_here = networks_have(&a->here, &read)};
    memcpy(ret->address, read.bytes, sizeof ret->address);
    return ret->is_udp || node_is(transport, "tcp");
}

/* Words of a command line are parted by zero bytes, and by spaces where people write it. */
static bool has_part(const struct process_info *info, const char *part)
{
    char line[PROCESS_ARGUMENTS_MAX];
    for (uint32_t i = 0; i < info->arguments_size; i++) {
        line[i] = info->arguments[i] != '\0' ? info->arguments[i] : ' ';
    }
    return memmem(line, info->arguments_size, part, strlen(part)) != NULL;
}

/* The name that the user gave it by a part of its command line ("NAME=PART"), or its own. */
static struct span name_of(const struct attribution *a, struct nodes *tree,
                           const struct process_info *info)
{
    const struct text_list *names = &a->settings->names;
    for (size_t i = 0; i < names->count; i++) {
        const char *equals = strchr(names->items[i], '=');
        if (equals != NULL && has_part(info, equals + 1)) {
            return span_of(names->items[i], (size_t)(equals - names->items[i]));
        }
    }
    return node_copy(tree, span_str(info->name));
}

static void put(struct nodes *tree, struct node *map, const char *name, struct span text)
{
    if (text.size > 0) {
        node_append_named(map, span_str(name), node_new(tree, NODE_TEXT, text));
    }
}

static void put_number(struct nodes *tree, struct node *map, const char *name, int32_t number)
{
    node_append_named(map, span_str(name),
                      node_new(tree, NODE_NUMBER, node_format(tree, "%d", (int)number)));
}

static struct node *arguments_of(struct nodes *tree, const struct process_info *info)
{
    struct node *list = node_new(tree, NODE_LIST, (struct span){0});
    const char *at = info->arguments;
    const char *end = at + info->arguments_size;
    for (int i = 0; i < ARGUMENTS_SHOWN && at < end; i++) {
        size_t size = strnlen(at, (size_t)(end - at));
        node_append(list, node_new(tree, NODE_TEXT, node_copy(tree, span_of(at, size))));
        at += size + 1;
    }
    return list;
}

static struct span start_of(struct nodes *tree, const struct process_info *info)
{
    time_t seconds = (time_t)(info->start_ns / 1000000000);
    struct tm utc;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
    return node_format(tree, "%s.%03uZ", text, (unsigned)(info->start_ns / 1000000 % 1000));
}

static struct node *describe(const struct attribution *a, struct nodes *tree,
                             const struct process_info *info)
{
    struct node *map = node_new(tree, NODE_MAP, (struct span){0});
    struct node *arguments = arguments_of(tree, info);
    if (arguments->first != NULL) {
        node_append_named(map, span_str("args"), arguments);
    }
    put(tree, map, "executable", node_copy(tree, span_str(info->program)));
    put(tree, map, "name", name_of(a, tree, info));
    put_number(tree, map, "pid", info->pid);
    put_number(tree, map, "ppid", info->parent);
    put(tree, map, "start", start_of(tree, info));
    put(tree, map, "working_directory", node_copy(tree, span_str(info->directory)));
    return map;
}

/* Puts the process at an end of an event, under both names of that end; NULL when it is not known. */
static struct node *add_end(struct attribution *a, struct nodes *tree, struct node *event,
                            const char *const names[2])
{
    struct node *end = node_member(event, span_str(names[0]));
    struct socket_place place;
    if (end == NULL || !read_end(a, event, end, &place)) {
        return NULL;
    }
    uint64_t now_ns = clock_now();
    int32_t pid = socket_table_find(a->sockets, &place, now_ns);
    const struct process_info *info = pid != 0 ? process_list_get(a->processes, pid, now_ns) : NULL;
    if (info == NULL) {
        return NULL;
    }
    struct node *process = describe(a, tree, info);
    node_append_named(end, span_str("process"), process);
    struct node *other = node_member(event, span_str(names[1]));
    if (other != NULL && other->kind == NODE_MAP) {
        node_append_named(other, span_str("process"), node_clone(tree, process));
    }
    return process;
}

void attribution_add(struct attribution *a, struct nodes *tree, struct node *event)
{
    look_around(a);
    static const char *const source_names[] = {"source", "client"};
    static const char *const destination_names[] = {"destination", "server"};
    struct node *source = add_end(a, tree, event, source_names);
    struct node *destination = add_end(a, tree, event, destination_names);
    struct node *chosen = destination != NULL ? destination : source;
    if (chosen != NULL) {
        node_append_named(event, span_str("process"), node_clone(tree, chosen));
    }
}
