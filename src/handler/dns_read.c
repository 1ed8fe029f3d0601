// SPDX-License-Identifier: Apache-2.0
#include "handler/dns_read.h"

#include <libpsl.h>
#include <stdio.h>
#include <strings.h>

#include "base/hash.h"
#include "base/text.h"
#include "proto/dns/dns_words.h"
#include "summary/topn.h"

static bool read_message(struct span bytes, void *message)
{
    struct dns_read *dns = message;
    if (!dns_message_read_name(bytes, true, &dns->message, &dns->name)) {
        return false;
    }
    dns->knows_edns = false;
    dns->name_hash = 0;
    dns->has_name = dns->message.question_name != 0;
    return true;
}

/* Two bytes of length before each message (RFC 1035 §4.2.2). */
static size_t frame(struct span bytes, size_t *ret_skip)
{
    if (bytes.size < 2) {
        return 0;
    }
    size_t size = load_be16(bytes.data);
    *ret_skip = 2;
    return bytes.size - 2 >= size ? size : 0;
}

static const uint16_t ports[] = {53, 5353, 5355, 53000, 0};

const struct handler_reader dns_reader = {
    .name = "dns",
    .size = sizeof(struct dns_read),
    .ports = ports,
    .port_bits = HANDLER_PORT_BIT(53) | HANDLER_PORT_BIT(5353) |
                 HANDLER_PORT_BIT(5355) | HANDLER_PORT_BIT(53000),
    .is_tcp = true,
    .is_udp = true,
    .read = read_message,
    .frame = frame,
};

struct span dns_read_name(const struct dns_read *dns)
{
    if (!dns->has_name || dns->name.labels == 0) {
        return span_of(NULL, 0);
    }
    return dns_name_text(&dns->name);
}

uint64_t dns_read_hash(struct dns_read *dns)
{
    if (dns->name_hash == 0) {
        struct span name = dns_read_name(dns);
        dns->name_hash = hash64(name.data, name.size, hash_seed()) | 1;
    }
    return dns->name_hash;
}

const struct dns_edns *dns_read_edns(struct dns_read *dns)
{
    if (!dns->knows_edns) {
        dns->knows_edns = true;
        if (!dns_edns_read(&dns->message, &dns->edns)) {
            dns->edns = (struct dns_edns){0};
        }
    }
    return &dns->edns;
}

/* ---- Parts of names ------------------------------------------------------------------------- */

/* The last `count` labels, with the dot before them. */
static struct span tail(const struct dns_read *dns, unsigned count)
{
    if (dns->name.labels <= count) {
        return dns_name_text(&dns->name);
    }
    size_t at = dns->name.starts[dns->name.labels - count];
    return span_skip(dns_name_text(&dns->name), at - 1);
}

struct dns_parts dns_read_parts(const struct dns_read *dns, unsigned suffix)
{
    struct span name = dns_read_name(dns);
    if (name.size < 5) {
        return (struct dns_parts){.two = name};
    }
    struct dns_parts ret = {.two = tail(dns, suffix + 1)};
    if (dns->name.labels > suffix + 1) {
        ret.three = tail(dns, suffix + 2);
    }
    return ret;
}

unsigned dns_read_suffix(struct span name)
{
    char text[DNS_READ_NAME];
    name = span_head(name, sizeof text - 1);
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    const char *suffix = psl_unregistrable_domain(psl_builtin(), text);
    unsigned labels = 1;
    for (; suffix != NULL && *suffix != '\0'; suffix++) {
        labels += *suffix == '.';
    }
    return labels;
}

/* ---- Words ---------------------------------------------------------------------------------- */

static const char *const rcodes[] = {"NOERROR",  "FORMERR", "SRVFAIL", "NXDOMAIN", "NOTIMP",
                                     "REFUSED",  "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
                                     "NOTZONE"};
enum { RCODES = sizeof rcodes / sizeof *rcodes, RCODE_MAX = 23, TYPE_MAX = 65535 };

struct span dns_read_number(unsigned number, char room[DNS_READ_WORD])
{
    char *end = room + DNS_READ_WORD, *at = end;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return span_of(at, (size_t)(end - at));
}

void dns_read_add_port(struct topn *top, unsigned port, uint64_t weight)
{
    char room[DNS_READ_WORD], key[DNS_READ_PORT] = {0};
    struct span text = dns_read_number(port, room);
    memcpy(key, text.data, text.size < sizeof key ? text.size : sizeof key);
    topn_add(top, key, weight, NULL);
}

struct span dns_read_rcode(unsigned rcode, char room[DNS_READ_WORD])
{
    if (rcode < RCODES) {
        return span_str(rcodes[rcode]);
    }
    snprintf(room, DNS_READ_WORD, "%u", rcode);
    return span_str(room);
}

struct span dns_read_type(unsigned type, char room[DNS_READ_WORD])
{
    return dns_word(dns_type_name(type), "", type, room);
}

int dns_read_rcode_of(const char *word)
{
    int64_t number;
    for (int i = 0; i < RCODES; i++) {
        if (strcasecmp(rcodes[i], word) == 0) {
            return i;
        }
    }
    if (strcasecmp(word, "servfail") == 0) {
        return 2;
    }
    return text_parse_number(word, &number) && number >= 0 && number <= RCODE_MAX ? (int)number
                                                                                  : -1;
}

int dns_read_type_of(const char *word)
{
    int64_t number;
    if (text_parse_number(word, &number)) {
        bool known = number > 0 && number <= TYPE_MAX && dns_type_name((unsigned)number) != NULL;
        return known ? (int)number : -1;
    }
    for (unsigned i = 1; i <= TYPE_MAX; i++) {
        const char *name = dns_type_name(i);
        if (name != NULL && strcasecmp(name, word) == 0) {
            return (int)i;
        }
    }
    return -1;
}
