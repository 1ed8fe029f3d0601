// SPDX-License-Identifier: Apache-2.0
#include "tap/interfaces.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/suggest.h"

/* The counters of this thread's network namespace; /sys may show those of another. */
#define COUNTERS_PATH "/proc/thread-self/net/dev"

/* One line of the counters: "  eth0: bytes packets errs drop fifo frame compressed multicast", and
 * the same eight of what was sent. */
static bool parse_counters(char *line, char **name, uint64_t values[16])
{
    char *colon = strrchr(line, ':'); /* an alias has one in its name */
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    *name = line + strspn(line, " ");
    char *at = colon + 1;
    for (int i = 0; i < 16; i++) {
        values[i] = strtoull(at, &at, 10);
    }
    return true;
}

static struct interfaces_entry *find(const struct interfaces *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].name, name) == 0) {
            return &list->entries[i];
        }
    }
    return NULL;
}

const struct interfaces_entry *interfaces_find(const struct interfaces *list, const char *name)
{
    return find(list, name);
}

static void read_counters(struct interfaces *list)
{
    FILE *file = fopen(COUNTERS_PATH, "re");
    if (file == NULL) {
        return;
    }
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        char *name;
        uint64_t values[16];
        struct interfaces_entry *entry =
            parse_counters(line, &name, values) ? find(list, name) : NULL;
        if (entry != NULL) {
            entry->rx_bytes = values[0];
            entry->rx_packets = values[1];
            entry->rx_dropped = values[3];
            entry->tx_bytes = values[8];
            entry->tx_packets = values[9];
        }
    }
    fclose(file);
}

uint64_t interfaces_dropped(const char *name)
{
    uint64_t sum = 0;
    FILE *file = fopen(COUNTERS_PATH, "re");
    if (file == NULL) {
        return 0;
    }
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        char *found;
        uint64_t values[16];
        if (parse_counters(line, &found, values) && (name == NULL || strcmp(found, name) == 0)) {
            sum += values[3];
        }
    }
    fclose(file);
    return sum;
}

/* The speed that the driver tells, in Mbit/s. */
static uint32_t read_speed(int socket_fd, const char *name)
{
    struct ethtool_cmd command = {.cmd = ETHTOOL_GSET};
    struct ifreq request = {.ifr_data = (void *)&command};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(socket_fd, SIOCETHTOOL, &request) < 0) {
        return 0;
    }
    /* The kernel's own macro for this shifts an int too far. */
    uint32_t speed = (uint32_t)command.speed_hi << 16 | command.speed;
    return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

/* getifaddrs(3) has one packet address for each interface. */
static void add_entry(struct interfaces *list, const struct ifaddrs *from, int socket_fd)
{
    const struct sockaddr_ll *link = (const void *)from->ifa_addr;
    struct interfaces_entry *entry = &list->entries[list->count++];
    snprintf(entry->name, sizeof entry->name, "%s", from->ifa_name);
    entry->index = (unsigned)link->sll_ifindex;
    entry->hardware = link->sll_hatype;
    entry->is_up = (from->ifa_flags & IFF_UP) != 0;
    entry->is_running = (from->ifa_flags & IFF_RUNNING) != 0;
    entry->is_loopback = (from->ifa_flags & IFF_LOOPBACK) != 0;
    entry->speed_mbit = read_speed(socket_fd, entry->name);
}

static void add_address(struct interfaces *list, const struct ifaddrs *from)
{
    struct interfaces_entry *entry = find(list, from->ifa_name);
    int family = from->ifa_addr->sa_family;
    const void *address = family == AF_INET
                              ? (const void *)&((const struct sockaddr_in *)(const void *)
                                                    from->ifa_addr)->sin_addr
                              : (const void *)&((const struct sockaddr_in6 *)(const void *)
                                                    from->ifa_addr)->sin6_addr;
    char text[INET6_ADDRSTRLEN];
    if (entry == NULL || inet_ntop(family, address, text, sizeof text) == NULL) {
        return;
    }
    size_t used = strlen(entry->addresses);
    if (used + strlen(text) + 2 <= sizeof entry->addresses) {
        snprintf(entry->addresses + used, sizeof entry->addresses - used, "%s%s",
                 used > 0 ? " " : "", text);
    }
}

static bool fill_list(struct interfaces *list, const struct ifaddrs *all, struct err *err)
{
    size_t count = 0;
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        count += one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_PACKET;
    }
    list->entries = calloc(count + 1, sizeof list->entries[0]);
    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (list->entries == NULL || socket_fd < 0) {
        if (socket_fd >= 0) {
            close(socket_fd);
        }
        return err_set(err, ERR_FAILED, "cannot list the interfaces: %s", strerror(errno));
    }
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_PACKET) {
            add_entry(list, one, socket_fd);
        }
    }
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        if (one->ifa_addr != NULL && (one->ifa_addr->sa_family == AF_INET ||
                                      one->ifa_addr->sa_family == AF_INET6)) {
            add_address(list, one);
        }
    }
    close(socket_fd);
    return true;
}

bool interfaces_read(struct interfaces *ret, struct err *err)
{
    *ret = (struct interfaces){0};
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) {
        return err_set(err, ERR_FAILED, "cannot list the interfaces: %s", strerror(errno));
    }
    bool done = fill_list(ret, all, err);
    freeifaddrs(all);
    if (!done) {
        interfaces_done(ret);
        return false;
    }
    read_counters(ret);
    return true;
}

void interfaces_done(struct interfaces *list)
{
    free(list->entries);
    *list = (struct interfaces){0};
}

const char *interfaces_kind(uint16_t hardware)
{
    switch (hardware) {
    case ARPHRD_ETHER:
        return "ethernet";
    case ARPHRD_LOOPBACK:
        return "loopback";
    case ARPHRD_IEEE80211:
    case ARPHRD_IEEE80211_RADIOTAP:
        return "wifi monitor";
    case ARPHRD_PPP:
        return "ppp";
    default:
        return "tunnel";
    }
}

static uint64_t bytes_of(const struct interfaces_entry *entry)
{
    return entry->rx_bytes + entry->tx_bytes;
}

/* Whether `a` is the better choice: up before down, a real one before the loopback, then traffic,
 * then a carrier. */
static bool is_better(const struct interfaces_entry *a, uint64_t a_bytes,
                      const struct interfaces_entry *b, uint64_t b_bytes)
{
    if (a->is_up != b->is_up) {
        return a->is_up;
    }
    if (a->is_loopback != b->is_loopback) {
        return a->is_loopback ? a_bytes > 0 && b_bytes == 0 : a_bytes > 0 || b_bytes == 0;
    }
    if (a_bytes != b_bytes) {
        return a_bytes > b_bytes;
    }
    return a->is_running && !b->is_running;
}

static void explain(const struct interfaces_entry *best, uint64_t bytes, size_t others, char *why,
                    size_t why_size)
{
    if (bytes == 0) {
        snprintf(why, why_size, "%s, as none of %zu interfaces carried anything within %d ms",
                 best->name, others + 1, INTERFACES_SAMPLE_MS);
        return;
    }
    double kbit = (double)bytes * 8 / INTERFACES_SAMPLE_MS;
    snprintf(why, why_size, "%s, the busiest of %zu interfaces: %.1f %s within %d ms%s", best->name,
             others + 1, kbit >= 1000 ? kbit / 1000 : kbit, kbit >= 1000 ? "Mbit/s" : "kbit/s",
             INTERFACES_SAMPLE_MS, best->is_loopback ? " (no other has traffic)" : "");
}

static bool choose(const struct interfaces *before, const struct interfaces *after,
                   char name[IF_NAMESIZE], char *why, size_t why_size, struct err *err)
{
    assert(after->entries != NULL);
    const struct interfaces_entry *best = NULL;
    uint64_t best_bytes = 0;
    for (size_t i = 0; i < after->count; i++) {
        const struct interfaces_entry *entry = &after->entries[i];
        const struct interfaces_entry *earlier = find(before, entry->name);
        uint64_t bytes = earlier != NULL ? bytes_of(entry) - bytes_of(earlier) : 0;
        if (best == NULL || is_better(entry, bytes, best, best_bytes)) {
            best = entry;
            best_bytes = bytes;
        }
    }
    if (best == NULL) {
        return err_set(err, ERR_FAILED, "this network namespace has no interface");
    }
    memcpy(name, best->name, IF_NAMESIZE);
    explain(best, best_bytes, after->count - 1, why, why_size);
    return true;
}

/* One of ethtool's questions that a number answers; 0 where it has none. */
static uint32_t ask_ethtool(int fd, const char *name, uint32_t command)
{
    struct ethtool_value value = {.cmd = command};
    struct ifreq request = {.ifr_data = (char *)&value};
    memccpy(request.ifr_name, name, '\0', sizeof request.ifr_name - 1);
    return ioctl(fd, SIOCETHTOOL, &request) == 0 ? value.data : 0;
}

bool interfaces_joins(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    bool joins = ask_ethtool(fd, name, ETHTOOL_GGRO) != 0 ||
                 (ask_ethtool(fd, name, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) != 0;
    close(fd);
    return joins;
}

bool interfaces_choose(char name[IF_NAMESIZE], char *why, size_t why_size, struct err *err)
{
    struct interfaces before, after;
    if (!interfaces_read(&before, err)) {
        return false;
    }
    nanosleep(&(struct timespec){.tv_nsec = INTERFACES_SAMPLE_MS * 1000000L}, NULL);
    bool done = interfaces_read(&after, err);
    if (done) {
        done = choose(&before, &after, name, why, why_size, err);
        interfaces_done(&after);
    }
    interfaces_done(&before);
    return done;
}

bool interfaces_complain_missing(const char *name, struct err *err)
{
    struct interfaces list;
    if (!interfaces_read(&list, err)) {
        return false;
    }
    struct suggest suggest = suggest_of(name);
    for (size_t i = 0; i < list.count; i++) {
        suggest_offer(&suggest, list.entries[i].name);
    }
    if (suggest.best != NULL) {
        err_set(err, ERR_FAILED, "no interface '%s' (did you mean '%s'?)", name, suggest.best);
    } else {
        err_set(err, ERR_FAILED, "no interface '%s'; `vantage interfaces` lists them", name);
    }
    interfaces_done(&list);
    return false;
}
