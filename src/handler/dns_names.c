// SPDX-License-Identifier: Apache-2.0
#include "handler/dns_names.h"

static void let_go(const struct dns_names_entry *entry, const struct dns_names_user *user)
{
    struct span name = span_of(entry->text, entry->size);
    struct dns_names_item item = {.name = name,
                                  .two = span_skip(name, entry->two),
                                  .count = entry->count,
                                  .side = entry->side};
    if (entry->three != DNS_NAMES_NONE) {
        item.three = span_skip(name, entry->three);
    }
    user->leave(user->context, &item);
}

/* Puts a name into a free entry; false when it is too long for one. */
static bool put(struct dns_names_entry *entry, const struct dns_name *from,
                const struct dns_parts *parts)
{
    struct span name = dns_name_text(from);
    if (name.size > DNS_NAMES_TEXT) {
        return false;
    }
    entry->size = (uint8_t)name.size;
    entry->two = (uint8_t)(name.size - parts->two.size);
    entry->three = parts->three.size > 0 ? (uint8_t)(name.size - parts->three.size)
                                         : DNS_NAMES_NONE;
    memcpy(entry->text, from->text, DNS_NAMES_TEXT); /* a fixed size is fastest; there is room */
    return true;
}

void dns_names_add(struct dns_names *names, struct dns_read *dns, uint8_t side,
                   const struct dns_names_user *user)
{
    uint64_t hash = dns_read_hash(dns);
    struct dns_names_entry *entry = &names->entries[(hash >> 32) % DNS_NAMES_SLOTS];
    if (entry->hash == hash && entry->side == side && entry->count > 0) {
        entry->count++;
        return;
    }
    if (entry->count > 0) {
        let_go(entry, user);
        entry->count = 0;
    }
    struct dns_parts parts = dns_read_parts(dns, user->suffix(user->context, dns));
    if (put(entry, &dns->name, &parts)) {
        entry->hash = hash;
        entry->side = side;
        entry->count = 1;
    } else {
        struct dns_names_item item = {dns_read_name(dns), parts.two, parts.three, 1, side};
        user->leave(user->context, &item);
    }
}

void dns_names_fold(struct dns_names *names, const struct dns_names_user *user)
{
    for (unsigned i = 0; i < DNS_NAMES_SLOTS; i++) {
        if (names->entries[i].count > 0) {
            let_go(&names->entries[i], user);
            names->entries[i].count = 0;
        }
    }
}
