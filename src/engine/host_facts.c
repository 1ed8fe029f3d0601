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

static void add_system(struct nodes *tree, struct node *host)
{
    static const struct {
        const char *key;
        const char *path;
    } wanted[] = {
        {"ID=", "os.platform"}, {"VERSION_ID=", "os.version"}, {"NAME=", "os.name"},
        {"VERSION_CODENAME=", "os.codename"}, {"ID_LIKE=", "os.family"},
    };
    FILE *file = fopen("/etc/os-release", "re");
    char line[LINE_MAX_BYTES];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            size_t size = strlen(wanted[i].key);
            if (strncmp(line, wanted[i].key, size) == 0) {
                char *value = line + size + (line[size] == '"');
                value[strcspn(value, "\"")] = '\0';
                put(tree, host, wanted[i].path, value);
            }
        }
    }
    if (file != NULL) {
        fclose(file);
    }
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
    for (size_t i = 0; i < list.count; i++) {
        struct interfaces_entry *entry = &list.entries[i];
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
