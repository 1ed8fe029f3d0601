// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_suffix.h"

#include <libpsl.h>

bool dns_suffix_split(const struct dns_name *name, struct dns_domain *ret)
{
    *ret = (struct dns_domain){0};
    if (name->labels < 2) {
        return false;
    }
    char lower[DNS_NAME_ROOM + 1];
    for (unsigned i = 0; i < name->size; i++) {
        char c = name->text[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    lower[name->size] = '\0';
    const char *registered = psl_registrable_domain(psl_builtin(), lower);
    if (registered == NULL) {
        return false;
    }
    struct span text = dns_name_text(name);
    size_t at = (size_t)(registered - lower);
    ret->registered = span_skip(text, at);
    const uint8_t *dot = memchr(ret->registered.data, '.', ret->registered.size);
    if (dot != NULL) {
        ret->suffix = span_skip(ret->registered, (size_t)(dot + 1 - ret->registered.data));
    }
    ret->subdomain = span_head(text, at > 0 ? at - 1 : 0);
    return true;
}
