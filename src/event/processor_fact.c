// SPDX-License-Identifier: Apache-2.0
/* Processors that add what is known besides the event: of the host, of the network, of the flow, of
 * names. The last table has those that other programs have and that mean nothing here. */
#include "event/processor_core.h"

#include <stdio.h>
#include <stdlib.h>

#include <nettle/base16.h>
#include <nettle/base64.h>
#include <nettle/nettle-meta.h>

#include <libpsl.h>

#include "event/community.h"
#include "event/networks.h"

/* ---- add_host_metadata, add_observer_metadata, add_locale ---------------------------------------- */

struct host {
    bool has_network; /* addresses, too */
    bool replaces;    /* what is there */
    bool is_observer;
    const struct node *geo; /* NULL: none */
    struct span name;       /* empty: the host's own */
};

/* Where it stands, as its owner says. */
static bool read_geo(struct processor_making *m, struct host *host)
{
    static const char *const names[] = {"name", "location", "continent_name", "country_iso_code",
                                        "region_name", "region_iso_code", "city_name"};
    struct node *geo = node_new(m->tree, NODE_MAP, (struct span){0});
    const struct node *from = processor_option(m, "geo");
    if (from != NULL && from->kind != NODE_MAP) {
        return condition_refuse(from, m->err, "geo is a mapping, such as {city_name: Oslo}");
    }
    for (const struct node *child = from != NULL ? from->first : NULL; child != NULL;
         child = child->next) {
        size_t i = 0;
        while (i < sizeof names / sizeof *names && !span_equal(child->name, span_str(names[i]))) {
            i++;
        }
        if (i == sizeof names / sizeof *names || !node_is_scalar(child)) {
            return condition_refuse(child, m->err, "geo has name, location (\"59.9, 10.7\"), "
                                    "continent_name, country_iso_code, region_name, region_iso_code "
                                    "and city_name");
        }
        if (child->text.size > 0) {
            struct node *value = node_new(m->tree, NODE_TEXT, child->text);
            node_append_named(geo, child->name, value);
        }
    }
    host->geo = geo->first != NULL ? geo : NULL;
    return true;
}

static void *make_host_or_observer(struct processor_making *m, bool is_observer)
{
    struct host *host = node_allocate(m->tree, sizeof *host);
    host->has_network = processor_flag(m, "netinfo.enabled", true);
    const struct node *network = processor_option(m, "netinfo");
    if (network != NULL) {
        host->has_network = !node_is(node_member(network, span_str("enabled")), "false");
    }
    host->replaces = is_observer ? processor_flag(m, "overwrite", false)
                                 : processor_flag(m, "replace_fields", true);
    host->is_observer = is_observer;
    host->name = is_observer ? (struct span){0} : processor_text(m, "name", NULL);
    (void)processor_option(m, "cache");     /* what a host is does not change while it is looked at */
    (void)processor_option(m, "cache.ttl");
    return read_geo(m, host) ? host : NULL;
}

static void *make_host(struct processor_making *m)
{
    return make_host_or_observer(m, false);
}

static void *make_observer(struct processor_making *m)
{
    return make_host_or_observer(m, true);
}

/* Whether somebody said more of it than its name. */
static bool is_told(const struct node *there)
{
    bool is_name = there != NULL && there->kind == NODE_MAP && there->first != NULL &&
                   there->first->next == NULL && span_equal(there->first->name, span_str("name"));
    return there != NULL && there->kind == NODE_MAP && there->first != NULL && !is_name;
}

static void add_host(const void *state, struct processor_event *e)
{
    const struct host *host = state;
    struct span at = span_str(host->is_observer ? "observer" : "host");
    struct node *there = processor_get(e, at);
    if (e->facts->host == NULL || (!host->replaces && is_told(there))) {
        return;
    }
    struct node *copy = node_clone(e->tree, e->facts->host);
    if (!host->has_network) {
        (void)node_take(copy, span_str("ip"));
        (void)node_take(copy, span_str("mac"));
    }
    if (host->geo != NULL) {
        node_put(e->tree, copy, span_str("geo"), node_clone(e->tree, host->geo));
    }
    if (host->name.size > 0) {
        node_put(e->tree, copy, span_str("name"), node_new(e->tree, NODE_TEXT, host->name));
    }
    if (there != NULL && there->kind == NODE_MAP) {
        node_merge(there, copy);
    } else {
        node_put(e->tree, e->root, at, copy);
    }
}

struct locale {
    bool is_name;
};

static void *make_locale(struct processor_making *m)
{
    struct locale *locale = node_allocate(m->tree, sizeof *locale);
    struct span format = processor_text(m, "format", "abbreviation");
    locale->is_name = !span_equal(format, span_str("offset"));
    return locale;
}

static void add_locale(const void *state, struct processor_event *e)
{
    const struct locale *locale = state;
    const char *zone = locale->is_name ? e->facts->zone_name : e->facts->zone_offset;
    if (zone != NULL) {
        processor_put_text(e, span_str("event.timezone"), span_str(zone));
    }
}

/* ---- add_id -------------------------------------------------------------------------------------- */

struct identity {
    struct span target;
};

static void *make_id(struct processor_making *m)
{
    struct identity *id = node_allocate(m->tree, sizeof *id);
    id->target = processor_text(m, "target_field", "@metadata._id");
    (void)processor_text(m, "type", "elasticsearch");
    return id;
}

static void add_id(const void *state, struct processor_event *e)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const struct identity *id = state;
    uint8_t random[20];
    char text[sizeof random];
    arc4random_buf(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        text[i] = letters[random[i] & 63];
    }
    processor_put_text(e, id->target, node_copy(e->tree, span_of(text, sizeof text)));
}

/* ---- fingerprint --------------------------------------------------------------------------------- */

enum { FINGERPRINT_FIELDS = 64, CONTEXT_ROOM = 512, DIGEST_ROOM = 64 };

struct fingerprint {
    const struct nettle_hash *hash;
    bool is_base64;
    bool ignore_missing;
    struct span target;
    size_t count;
    struct span fields[FINGERPRINT_FIELDS]; /* sorted: their order in the list has no meaning */
};

static int by_bytes(const void *a, const void *b)
{
    const struct span *first = a, *second = b;
    size_t size = first->size < second->size ? first->size : second->size;
    int order = memcmp(first->data, second->data, size);
    return order != 0 ? order : (first->size > second->size) - (first->size < second->size);
}

static const struct nettle_hash *hash_named(struct span name)
{
    const struct nettle_hash *const all[] = {&nettle_sha256, &nettle_sha1, &nettle_sha384,
                                             &nettle_sha512, &nettle_md5};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (span_equal(name, span_str(all[i]->name)) && all[i]->context_size <= CONTEXT_ROOM) {
            return all[i];
        }
    }
    return NULL;
}

static bool read_fields(struct processor_making *m, struct fingerprint *f)
{
    const struct node *list = processor_list(m, "fields");
    if (list == NULL) {
        return false;
    }
    for (const struct node *item = list->first; item != NULL; item = item->next) {
        if (!node_is_scalar(item) || f->count == FINGERPRINT_FIELDS) {
            return condition_refuse(item, m->err, "fields are names, at most %d", FINGERPRINT_FIELDS);
        }
        f->fields[f->count++] = item->text;
    }
    qsort(f->fields, f->count, sizeof *f->fields, by_bytes);
    return true;
}

static void *make_fingerprint(struct processor_making *m)
{
    struct fingerprint *f = node_allocate(m->tree, sizeof *f);
    struct span encoding = processor_text(m, "encoding", "hex");
    f->hash = hash_named(processor_text(m, "method", "sha256"));
    f->is_base64 = span_equal(encoding, span_str("base64"));
    f->ignore_missing = processor_flag(m, "ignore_missing", false);
    f->target = processor_text(m, "target_field", "fingerprint");
    if (f->hash == NULL || !(f->is_base64 || span_equal(encoding, span_str("hex")))) {
        condition_refuse(m->options, m->err, "method is md5, sha1, sha256, sha384 or sha512, encoding "
                                             "is hex or base64");
        return NULL;
    }
    return read_fields(m, f) ? f : NULL;
}

/* "|name|value|name|value|"; false when a field is missing that must not be. */
static bool hash_fields(const struct fingerprint *f, const struct processor_event *e, void *context)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct node *node = processor_get(e, f->fields[i]);
        if (node == NULL && !f->ignore_missing) {
            return false;
        }
        if (node != NULL && node_is_scalar(node)) {
            f->hash->update(context, 1, (const uint8_t *)"|");
            f->hash->update(context, f->fields[i].size, f->fields[i].data);
            f->hash->update(context, 1, (const uint8_t *)"|");
            f->hash->update(context, node->text.size, node->text.data);
        }
    }
    f->hash->update(context, 1, (const uint8_t *)"|");
    return true;
}

static void add_fingerprint(const void *state, struct processor_event *e)
{
    const struct fingerprint *f = state;
    _Alignas(16) uint8_t context[CONTEXT_ROOM];
    uint8_t digest[DIGEST_ROOM];
    char text[2 * DIGEST_ROOM + 4];
    f->hash->init(context);
    if (!hash_fields(f, e, context)) {
        processor_complain(e, "fingerprint", f->target, "a field is not there");
        return;
    }
    size_t size = f->hash->digest_size;
    f->hash->digest(context, size, digest);
    if (f->is_base64) {
        base64_encode_raw(text, size, digest);
    } else {
        base16_encode_update(text, size, digest);
    }
    size_t used = f->is_base64 ? BASE64_ENCODE_RAW_LENGTH(size) : BASE16_ENCODE_LENGTH(size);
    processor_put_text(e, f->target, node_copy(e->tree, span_of(text, used)));
}

/* ---- community_id -------------------------------------------------------------------------------- */

struct community_fields {
    struct span source, source_port, destination, destination_port, transport, number, target;
    struct span icmp_type, icmp_code;
    uint16_t seed;
};

static struct span field_option(struct processor_making *m, const char *name, const char *otherwise)
{
    const struct node *fields = processor_option(m, "fields");
    const struct node *node = node_member(fields, span_str(name));
    return node != NULL && node_is_scalar(node) ? node->text : span_str(otherwise);
}

static void *make_community(struct processor_making *m)
{
    struct community_fields *c = node_allocate(m->tree, sizeof *c);
    c->source = field_option(m, "source_ip", "source.ip");
    c->source_port = field_option(m, "source_port", "source.port");
    c->destination = field_option(m, "destination_ip", "destination.ip");
    c->destination_port = field_option(m, "destination_port", "destination.port");
    c->transport = field_option(m, "transport", "network.transport");
    c->number = field_option(m, "iana_number", "network.iana_number");
    c->icmp_type = field_option(m, "icmp_type", "icmp.type");
    c->icmp_code = field_option(m, "icmp_code", "icmp.code");
    c->target = processor_text(m, "target", "network.community_id");
    c->seed = (uint16_t)processor_number(m, "seed", 0);
    return c;
}

static unsigned number_at(const struct processor_event *e, struct span path)
{
    const struct node *node = processor_get(e, path);
    unsigned value = 0;
    for (size_t i = 0; node != NULL && i < node->text.size && i < 6; i++) {
        uint8_t c = node->text.data[i];
        if (c < '0' || c > '9') {
            return 0;
        }
        value = value * 10 + c - '0';
    }
    return value;
}

static uint8_t protocol_at(const struct processor_event *e, const struct community_fields *c)
{
    static const struct {
        const char *name;
        uint8_t number;
    } names[] = {{"tcp", 6},        {"udp", 17},  {"icmp", 1},  {"ipv6-icmp", 58},
                 {"icmp6", 58},     {"sctp", 132}, {"igmp", 2}, {"gre", 47}};
    const struct node *name = processor_get(e, c->transport);
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++) {
        if (node_is(name, names[i].name)) {
            return names[i].number;
        }
    }
    return (uint8_t)number_at(e, c->number);
}

static bool address_at(const struct processor_event *e, struct span path,
                       struct networks_address *ret)
{
    const struct node *node = processor_get(e, path);
    return node != NULL && node_is_scalar(node) && networks_address_read(node->text, ret);
}

static void add_community(const void *state, struct processor_event *e)
{
    const struct community_fields *c = state;
    struct community id = {.seed = c->seed, .protocol = protocol_at(e, c)};
    if (processor_get(e, c->target) != NULL) {
        return; /* events have one already: another seed needs another target */
    }
    if (id.protocol == 0 || !address_at(e, c->source, &id.source) ||
        !address_at(e, c->destination, &id.destination)) {
        return;
    }
    bool is_icmp = id.protocol == 1 || id.protocol == 58;
    id.source_port = (uint16_t)number_at(e, is_icmp ? c->icmp_type : c->source_port);
    id.destination_port = (uint16_t)number_at(e, is_icmp ? c->icmp_code : c->destination_port);
    char text[COMMUNITY_ROOM];
    community_text(&id, text);
    processor_put_text(e, c->target, node_copy(e->tree, span_str(text)));
}

/* ---- add_network_direction ----------------------------------------------------------------------- */

struct direction {
    struct span source;
    struct span destination;
    struct span target;
    struct networks internal;
};

static void *make_direction(struct processor_making *m)
{
    struct direction *d = node_allocate(m->tree, sizeof *d);
    d->source = processor_text(m, "source", "source.ip");
    d->destination = processor_text(m, "destination", "destination.ip");
    d->target = processor_text(m, "target", "network.direction");
    const struct node *list = processor_list(m, "internal_networks");
    const struct node *item = list != NULL ? list->first : NULL;
    for (; item != NULL; item = item->next) {
        if (!networks_add(&d->internal, item->text, m->err)) {
            return NULL;
        }
    }
    return list != NULL ? d : NULL;
}

static void add_direction(const void *state, struct processor_event *e)
{
    const struct direction *d = state;
    struct networks_address source, destination;
    if (!address_at(e, d->source, &source) || !address_at(e, d->destination, &destination)) {
        return;
    }
    bool from = networks_have(&d->internal, &source);
    bool to = networks_have(&d->internal, &destination);
    processor_put_text(e, d->target, span_str(from && to ? "internal"
                                              : from     ? "outbound"
                                              : to       ? "inbound"
                                                         : "external"));
}

/* ---- registered_domain --------------------------------------------------------------------------- */

enum { DOMAIN_ROOM = 256 };

struct domain {
    struct span field, registered, suffix, subdomain;
    bool ignore_missing;
    bool ignore_failure;
};

static void *make_domain(struct processor_making *m)
{
    struct domain *d = node_allocate(m->tree, sizeof *d);
    d->field = processor_text(m, "field", NULL);
    d->registered = processor_text(m, "target_field", NULL);
    d->suffix = processor_text(m, "target_etld_field", NULL);
    d->subdomain = processor_text(m, "target_subdomain_field", NULL);
    d->ignore_missing = processor_flag(m, "ignore_missing", false);
    d->ignore_failure = processor_flag(m, "ignore_failure", false);
    (void)processor_text(m, "id", NULL);
    if (d->field.size == 0 || d->registered.size == 0) {
        condition_refuse(m->options, m->err, "registered_domain needs 'field' and 'target_field'");
        return NULL;
    }
    return d;
}

/* Where the registered domain of a name begins in it; false when it has none. */
static bool domain_at(struct span name, size_t *ret)
{
    char lower[DOMAIN_ROOM];
    if (name.size == 0 || name.size >= sizeof lower) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = (char)name.data[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    lower[name.size] = '\0';
    const char *domain = psl_registrable_domain(psl_builtin(), lower);
    *ret = domain != NULL ? (size_t)(domain - lower) : 0;
    return domain != NULL;
}

static void put_domain(const struct domain *d, struct processor_event *e, struct span name, size_t at)
{
    struct span registered = span_skip(name, at);
    const uint8_t *dot = memchr(registered.data, '.', registered.size);
    processor_put_text(e, d->registered, registered);
    if (d->suffix.size > 0 && dot != NULL) {
        processor_put_text(e, d->suffix, span_skip(registered, (size_t)(dot + 1 - registered.data)));
    }
    if (d->subdomain.size > 0 && at > 1) {
        processor_put_text(e, d->subdomain, span_head(name, at - 1));
    }
}

static void add_domain(const void *state, struct processor_event *e)
{
    const struct domain *d = state;
    const struct node *node = processor_get(e, d->field);
    struct span name = node != NULL && node_is_scalar(node) ? node->text : (struct span){0};
    size_t at;
    if (name.size > 0 && name.data[name.size - 1] == '.') {
        name.size--;
    }
    if (domain_at(name, &at)) {
        put_domain(d, e, name, at);
    } else {
        e->has_failed = !d->ignore_failure && !(node == NULL && d->ignore_missing);
    }
}

const struct processor_kind processor_fact_kinds[] = {
    {"add_host_metadata", make_host, add_host},
    {"add_observer_metadata", make_observer, add_host},
    {"add_locale", make_locale, add_locale},
    {"add_id", make_id, add_id},
    {"fingerprint", make_fingerprint, add_fingerprint},
    {"community_id", make_community, add_community},
    {"add_network_direction", make_direction, add_direction},
    {"registered_domain", make_domain, add_domain},
    {0},
};

/* What other programs have. The first of them change nothing where there is no cloud or cluster; the
 * others would add something; a script may hide something, so that nothing runs without it. */
const struct processor_kind processor_foreign_kinds[] = {
    {.name = "add_cloud_metadata"},
    {.name = "add_cloudfoundry_metadata"},
    {.name = "add_docker_metadata"},
    {.name = "add_kubernetes_metadata"},
    {.name = "add_nomad_metadata"},
    {.name = "add_process_metadata",
     .refusal = "processes are told by packetbeat.procs.enabled, or processes in vantage.yml"},
    {.name = "cache", .refusal = "there is no cache of events; add_fields with conditions may do"},
    {.name = "decode_xml", .refusal = "XML is not read"},
    {.name = "decode_xml_wineventlog", .refusal = "that is of Windows only"},
    {.name = "dns", .refusal = "events do not wait for name servers"},
    {.name = "parse_aws_vpc_flow_log", .refusal = "no event has a line of that log"},
    {.name = "script", .matters = true,
     .refusal = "there is no interpreter; conditions and dissect may do"},
    {.name = "syslog", .refusal = "no event has a line of syslog; dissect reads texts"},
    {.name = "translate_ldap_attribute", .refusal = "events do not wait for directories"},
    {.name = "translate_sid", .refusal = "that is of Windows only"},
    {0},
};
