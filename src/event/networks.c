// SPDX-License-Identifier: Apache-2.0
#include "event/networks.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { TEXT_MAX = INET6_ADDRSTRLEN + 8 };

bool networks_address_read(struct span text, struct networks_address *ret)
{
    char copy[TEXT_MAX];
    if (text.size == 0 || text.size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, copy, ret->bytes + 12) == 1) {
        memcpy(ret->bytes, mapped, sizeof mapped);
        ret->is_v4 = true;
        return true;
    }
    if (inet_pton(AF_INET6, copy, ret->bytes) != 1) {
        return false;
    }
    ret->is_v4 = memcmp(ret->bytes, mapped, sizeof mapped) == 0;
    return true;
}

static bool begins(const uint8_t *address, const uint8_t *block, unsigned bits)
{
    unsigned bytes = bits / 8;
    uint8_t mask = (uint8_t)(0xff00u >> bits % 8);
    return memcmp(address, block, bytes) == 0 &&
           (bits % 8 == 0 || ((address[bytes] ^ block[bytes]) & mask) == 0);
}

/* ---- Named sets (RFC 1918, 3927, 4193, 4291, 5771) -------------------------------------------- */

static bool is_unspecified(const struct networks_address *a)
{
    static const uint8_t zero[16];
    return memcmp(a->bytes + (a->is_v4 ? 12 : 0), zero, a->is_v4 ? 4 : 16) == 0;
}

static bool is_loopback(const struct networks_address *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->is_v4 ? a->bytes[12] == 127 : memcmp(a->bytes, one, 16) == 0;
}

static bool is_multicast(const struct networks_address *a)
{
    return a->is_v4 ? a->bytes[12] >> 4 == 14 : a->bytes[0] == 0xff;
}

static bool is_link_local_unicast(const struct networks_address *a)
{
    return a->is_v4 ? a->bytes[12] == 169 && a->bytes[13] == 254
                    : begins(a->bytes, (const uint8_t[]){0xfe, 0x80}, 10);
}

static bool is_link_local_multicast(const struct networks_address *a)
{
    return a->is_v4 ? begins(a->bytes + 12, (const uint8_t[]){224, 0, 0}, 24)
                    : a->bytes[0] == 0xff && (a->bytes[1] & 15) == 2;
}

static bool is_interface_local_multicast(const struct networks_address *a)
{
    return !a->is_v4 && a->bytes[0] == 0xff && (a->bytes[1] & 15) == 1;
}

static bool is_private(const struct networks_address *a)
{
    const uint8_t *v4 = a->bytes + 12;
    return a->is_v4 ? v4[0] == 10 || (v4[0] == 172 && v4[1] >> 4 == 1) ||
                          (v4[0] == 192 && v4[1] == 168)
                    : (a->bytes[0] & 0xfe) == 0xfc;
}

static bool is_broadcast(const struct networks_address *a)
{
    return a->is_v4 && begins(a->bytes + 12, (const uint8_t[]){255, 255, 255, 255}, 32);
}

static bool is_unicast(const struct networks_address *a)
{
    return !is_broadcast(a) && !is_unspecified(a) && !is_loopback(a) && !is_multicast(a) &&
           !is_link_local_unicast(a);
}

/* Of multicast what may go further than its link is public, too. */
static bool is_public(const struct networks_address *a)
{
    bool is_far = is_multicast(a) && !is_link_local_multicast(a) && !is_interface_local_multicast(a);
    return (is_unicast(a) || is_far) && !is_private(a);
}

struct word {
    const char *word;
    bool (*is)(const struct networks_address *address);
};

static const struct word words[] = {
    {"private", is_private},
    {"public", is_public},
    {"loopback", is_loopback},
    {"unicast", is_unicast},
    {"global_unicast", is_unicast},
    {"multicast", is_multicast},
    {"interface_local_multicast", is_interface_local_multicast},
    {"link_local_unicast", is_link_local_unicast},
    {"link_local_multicast", is_link_local_multicast},
    {"unspecified", is_unspecified},
};

bool networks_is(const char *word, const struct networks_address *address)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, word) == 0) {
            return words[i].is(address);
        }
    }
    return false;
}

/* ---- Sets ------------------------------------------------------------------------------------ */

static const char *word_of(struct span text)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (span_equal(span_str(words[i].word), text)) {
            return words[i].word;
        }
    }
    return NULL;
}

/* The number behind a slash; -1 when it is none. */
static int prefix_of(struct span digits, unsigned most)
{
    unsigned prefix = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || prefix > most) {
            return -1;
        }
        prefix = prefix * 10 + digits.data[i] - '0';
    }
    return digits.size > 0 && prefix <= most ? (int)prefix : -1;
}

static bool read_block(struct span text, struct networks_block *ret)
{
    *ret = (struct networks_block){.word = word_of(text)};
    if (ret->word != NULL) {
        return true;
    }
    const uint8_t *slash = text.size > 0 ? memchr(text.data, '/', text.size) : NULL;
    size_t size = slash != NULL ? (size_t)(slash - text.data) : text.size;
    if (!networks_address_read(span_head(text, size), &ret->address)) {
        return false;
    }
    unsigned most = ret->address.is_v4 ? 32 : 128;
    int prefix = slash != NULL ? prefix_of(span_skip(text, size + 1), most) : (int)most;
    ret->prefix = (uint8_t)prefix;
    return prefix >= 0;
}

bool networks_add(struct networks *set, struct span text, struct err *err)
{
    if (set->count == NETWORKS_MAX) {
        return err_set(err, ERR_USAGE, "more than %d networks", NETWORKS_MAX);
    }
    if (!read_block(text, &set->blocks[set->count])) {
        return err_set(err, ERR_USAGE,
                       "'%.*s' is no network: write 10.0.0.0/8, 2001:db8::/32, or a word such as "
                       "private, public, loopback, multicast",
                       (int)(text.size < 80 ? text.size : 80), text.data);
    }
    set->count++;
    return true;
}

bool networks_have(const struct networks *set, const struct networks_address *address)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct networks_block *block = &set->blocks[i];
        unsigned at = address->is_v4 ? 12 : 0;
        bool is_in = block->word != NULL
                         ? networks_is(block->word, address)
                         : block->address.is_v4 == address->is_v4 &&
                               begins(address->bytes + at, block->address.bytes + at,
                                      block->prefix);
        if (is_in) {
            return true;
        }
    }
    return false;
}
