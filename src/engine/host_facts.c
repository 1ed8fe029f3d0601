// SPDX-License-Identifier: Apache-2.0
#include "engine/host_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "tap/interfaces.h"

enum { LINE_MAX_BYTES = 512 };

static void put(struct nodes *tree, struct node *map, const char *path, const char *text)
{
    if (text[0] != '\0') {
        node_put(tree, map, span_str(path),
                 node_new(tree, NODE_TEXT, node_copy(tree, span_str(text))));
    }
}

const char *host_facts_name(struct nodes *tree)
{
    struct utsname system;
    return uname(&system) == 0 ? (const char *)node_copy(tree, span_str(system.nodename)).data
                               : "unknown";
}

/* The first line of a file, without its end. */
static bool first_line(const char *path, char line[LINE_MAX_BYTES])
{
    FILE *file = fopen(path, "re");
    line[0] = '\0';
    if (file == NULL) {
        return false;
    }
    bool is_there = fgets(line, LINE_MAX_BYTES, file) != NULL;
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return is_there;
}

const char *host_facts_uuid(struct nodes *tree, unsigned seed)
{
    char machine[LINE_MAX_BYTES];
    uint8_t bytes[16];
    arc4random_buf(bytes, sizeof bytes);
    if (seed != 0 && first_line("/etc/machine-id", machine)) {
        char text[LINE_MAX_BYTES + 16];
        int size = snprintf(text, sizeof text, "%u %s", seed, machine);
        XXH128_canonical_t hash;
        XXH128_canonicalFromHash(&hash, XXH3_128bits(text, (size_t)size));
        memcpy(bytes, hash.digest, sizeof bytes);
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 4122 §4.4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    char text[37];
    size_t at = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bool is_edge = i == 4 || i == 6 || i == 8 || i == 10;
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%02x", is_edge ? "-" : "", bytes[i]);
    }
    return (const char *)node_copy(tree, span_str(text)).data;
}

/* Families by the names of their members, as Elastic's programs know them. */
static const char *family_of(const char *system)
{
    static const char *const families[][2] = {
        {"debian", "debian ubuntu raspbian linuxmint kali"},
        {"redhat", "rhel redhat centos fedora rocky almalinux ol oraclelinux amzn scientific"},
        {"suse", "suse sles opensuse opensuse-leap opensuse-tumbleweed"},
        {"arch", "arch archarm antergos manjaro"},
        {"alpine", "alpine"},
        {"gentoo", "gentoo"},
    };
    size_t size = strlen(system);
    for (size_t i = 0; i < sizeof families / sizeof *families && size > 0; i++) {
        for (const char *at = families[i][1]; *at != '\0';) {
            size_t word = strcspn(at, " ");
            if (word == size && strncmp(at, system, size) == 0) {
                return families[i][0];
            }
            at += word + (at[word] == ' ');
        }
    }
    return "";
}

/* VERSION, "12 (bookworm)", where there is one; else the bare number. */
static void add_system(struct nodes *tree, struct node *host)
{
    static const struct {
        const char *key;
        const char *path;
    } wanted[] = {
        {"ID=", "os.platform"}, {"VERSION=", "os.version"}, {"NAME=", "os.name"},
        {"VERSION_CODENAME=", "os.codename"},
    };
    FILE *file = fopen("/etc/os-release", "re");
    char line[LINE_MAX_BYTES];
    char number[LINE_MAX_BYTES] = "";
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, '=') != NULL ? strchr(line, '=') + 1 : line;
        value += *value == '"';
        value[strcspn(value, "\"")] = '\0';
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            if (strncmp(line, wanted[i].key, strlen(wanted[i].key)) == 0) {
                put(tree, host, wanted[i].path, value);
            }
        }
        if (strncmp(line, "ID=", 3) == 0) {
            put(tree, host, "os.family", family_of(value));
        } else if (strncmp(line, "VERSION_ID=", 11) == 0) {
            memmove(number, value, strlen(value) + 1);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    if (node_find(host, span_str("os.version")) == NULL) {
        put(tree, host, "os.version", number);
    }
}

/* Whether the first process is one of a container. */
static bool is_contained(void)
{
    static const char *const signs[] = {"docker", "kubepods", "containerd", "lxc", "libpod"};
    FILE *file = fopen("/proc/1/cgroup", "re");
    char line[LINE_MAX_BYTES];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
            found |= strstr(line, signs[i]) != NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

/* 00-1A-2B-3C-4D-5E, as ECS has it; nothing where a link has none. */
static void add_link_address(struct nodes *tree, struct node *list, const char *interface)
{
    char path[LINE_MAX_BYTES];
    char text[LINE_MAX_BYTES];
    snprintf(path, sizeof path, "/sys/class/net/%s/address", interface);
    if (!first_line(path, text) || strspn(text, "0:") == strlen(text)) {
        return;
    }
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == ':' ? '-' : (char)(*at >= 'a' && *at <= 'f' ? *at - 'a' + 'A' : *at);
    }
    node_append(list, node_new(tree, NODE_TEXT, node_copy(tree, span_str(text))));
}

/* Addresses of all interfaces that are up, but the loopback's. */
static void add_addresses(struct nodes *tree, struct node *host)
{
    struct interfaces list;
    struct err err = {0};
    if (!interfaces_read(&list, &err)) {
        return;
    }
    struct node *addresses = node_new(tree, NODE_LIST, (struct span){0});
    struct node *links = node_new(tree, NODE_LIST, (struct span){0});
    for (size_t i = 0; i < list.count; i++) {
        struct interfaces_entry *entry = &list.entries[i];
        if (!entry->is_loopback) {
            add_link_address(tree, links, entry->name);
        }
        char *rest = entry->addresses;
        for (char *one; !entry->is_loopback && (one = strsep(&rest, " ")) != NULL;) {
            one[strcspn(one, "/")] = '\0';
            if (one[0] != '\0') {
                node_append(addresses,
                            node_new(tree, NODE_TEXT, node_copy(tree, span_str(one))));
            }
        }
    }
    interfaces_done(&list);
    if (addresses->first != NULL) {
        node_put(tree, host, span_str("ip"), addresses);
    }
    if (links->first != NULL) {
        node_put(tree, host, span_str("mac"), links);
    }
}

struct processor_facts host_facts(struct nodes *tree)
{
    struct node *host = node_new(tree, NODE_MAP, (struct span){0});
    struct utsname system = {0};
    uname(&system);
    put(tree, host, "name", system.nodename);
    put(tree, host, "hostname", system.nodename);
    put(tree, host, "architecture", system.machine);
    put(tree, host, "os.type", "linux");
    put(tree, host, "os.kernel", system.release);
    char machine[LINE_MAX_BYTES];
    if (first_line("/etc/machine-id", machine)) {
        put(tree, host, "id", machine);
    }
    add_system(tree, host);
    node_put(tree, host, span_str("containerized"),
             node_new(tree, NODE_BOOL, span_str(is_contained() ? "true" : "false")));
    add_addresses(tree, host);
    time_t now = time(NULL);
    struct tm local;
    char offset[8] = "";
    char name[32] = "";
    localtime_r(&now, &local);
    strftime(offset, sizeof offset, "%z", &local);
    strftime(name, sizeof name, "%Z", &local);
    struct span zone = node_format(tree, "%.3s:%s", offset, offset[0] != '\0' ? offset + 3 : "");
    return (struct processor_facts){
        .host = host,
        .zone_offset = (const char *)zone.data,
        .zone_name = (const char *)node_copy(tree, span_str(name)).data,
    };
}
