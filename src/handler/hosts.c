// SPDX-License-Identifier: Apache-2.0
#include "handler/hosts.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/text.h"

bool hosts_add(struct hosts *hosts, const char *text, struct err *err)
{
    if (hosts->count == HOSTS_MAX) {
        return err_set(err, ERR_USAGE, "more than %d networks", HOSTS_MAX);
    }
    struct hosts_network *network = &hosts->networks[hosts->count];
    const char *slash = strchr(text, '/');
    bool is_six = strchr(text, ':') != NULL;
    char address[64];
    snprintf(address, sizeof address, "%.*s",
             slash != NULL && slash - text < 63 ? (int)(slash - text) : 63, text);
    int64_t bits = is_six ? 128 : 32;
    if (slash != NULL && (!text_parse_number(slash + 1, &bits) || bits < 0 ||
                          bits > (is_six ? 128 : 32))) {
        return err_set(err, ERR_USAGE, "invalid CIDR: %s", text);
    }
    if (inet_pton(is_six ? AF_INET6 : AF_INET, address, network->address) != 1) {
        return err_set(err, ERR_USAGE, "invalid %s address: %s", is_six ? "IPv6" : "IPv4", address);
    }
    network->version = is_six ? 6 : 4;
    network->bits = (uint8_t)bits;
    hosts->count++;
    return true;
}

bool hosts_read(struct hosts *hosts, const char *text, struct err *err)
{
    while (*text != '\0') {
        char one[80];
        size_t size = strcspn(text, ",");
        const char *from = text + strspn(text, " ");
        snprintf(one, sizeof one, "%.*s", (int)(size < 79 ? text + size - from : 79), from);
        one[strcspn(one, " ")] = '\0';
        if (!hosts_add(hosts, one, err)) {
            return false;
        }
        text += size + (text[size] == ',');
    }
    return true;
}

static bool is_in(const struct hosts_network *network, const uint8_t *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->address, address, whole) != 0) {
        return false;
    }
    return rest == 0 || ((network->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

const struct hosts_network *hosts_find(const struct hosts *hosts, unsigned version,
                                       const uint8_t *address)
{
    for (uint32_t i = 0; i < hosts->count; i++) {
        if (hosts->networks[i].version == version && is_in(&hosts->networks[i], address)) {
            return &hosts->networks[i];
        }
    }
    return NULL;
}
