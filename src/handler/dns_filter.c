// SPDX-License-Identifier: Apache-2.0
#include "handler/dns_filter.h"

#include "base/text.h"

#define PATIENCE_NS UINT64_C(5000000000)

/* dnstap.proto's Message.Type; the response's number is one more. */
struct dnstap_type {
    const char *name;
    unsigned query;
};

static const struct dnstap_type dnstap_types[] = {
    {"auth", 1}, {"client", 5}, {"forwarder", 7}, {"resolver", 3},
    {"stub", 9}, {"tool", 11},  {"update", 13},
};

static bool read_rcodes(const struct handler_options *options, struct dns_filter *f,
                        struct err *err)
{
    const struct tree *value = tree_get(options->map, "only_rcode");
    if (value == NULL || f->excludes_noerror) { /* as in pktvisor, one or the other */
        return true;
    }
    if (value->kind != TREE_NUMBER && value->kind != TREE_LIST) {
        return err_set(err, ERR_USAGE,
                       "%s: wrong value type for only_rcode filter. It should be an integer or an "
                       "array",
                       options->title);
    }
    struct handler_words words = handler_list(options, "only_rcode");
    for (size_t i = 0; i < words.count; i++) {
        int code = dns_read_rcode_of(words.words[i]);
        if (code < 0) {
            return err_set(err, ERR_USAGE,
                           "%s: only_rcode filter contained an invalid/unsupported rcode%s%s",
                           options->title, value->kind == TREE_LIST ? ": " : "",
                           value->kind == TREE_LIST ? words.written[i] : "");
        }
        f->rcodes |= 1u << code;
    }
    return true;
}

static bool read_types(const struct handler_options *options, struct dns_filter *f,
                       struct err *err)
{
    struct handler_words words = handler_list(options, "only_qtype");
    if (words.count == 0) {
        return true;
    }
    uint16_t *types = tree_take(options->memory, (words.count + 1) * sizeof *types);
    for (size_t i = 0; i < words.count; i++) {
        int type = dns_read_type_of(words.words[i]);
        if (type < 0) {
            return err_set(err, ERR_USAGE,
                           "%s: only_qtype filter contained an invalid/unsupported qtype: %s",
                           options->title, words.written[i]);
        }
        types[i] = (uint16_t)type;
    }
    f->types = types;
    return true;
}

static bool read_answer_count(const struct handler_options *options, struct dns_filter *f,
                              struct err *err)
{
    const struct tree *value = tree_get(options->map, "answer_count");
    f->answer_count = -1;
    if (value == NULL) {
        return true;
    }
    if (value->kind != TREE_NUMBER) {
        return err_set(err, ERR_USAGE,
                       "%s: wrong value type for answer_count filter. It should be an integer",
                       options->title);
    }
    f->answer_count = (int64_t)value->number;
    return true;
}

static bool read_dnstap(const struct handler_options *options, struct dns_filter *f,
                        struct err *err)
{
    struct handler_words words = handler_list(options, "dnstap_msg_type");
    if (words.count == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof dnstap_types / sizeof *dnstap_types; i++) {
        if (strcmp(dnstap_types[i].name, words.words[0]) == 0) {
            f->dnstap_type = dnstap_types[i].query;
            return true;
        }
    }
    return err_set(err, ERR_USAGE,
                   "%s: dnstap_msg_type contained an invalid/unsupported type. Valid types: auth, "
                   "client, forwarder, resolver, stub, tool, update",
                   options->title);
}

bool dns_filter_read(const struct handler_options *options, void *settings, struct err *err)
{
    struct dns_filter *f = settings;
    f->patience_ns = handler_patience(options, PATIENCE_NS);
    f->uses_suffixes = handler_flag(options, "public_suffix_list");
    f->excludes_noerror = handler_flag(options, "exclude_noerror");
    f->only_dnssec = handler_flag(options, "only_dnssec_response");
    f->only_queries = handler_flag(options, "only_queries");
    f->only_responses = handler_flag(options, "only_responses");
    f->names = handler_list(options, "only_qname");
    f->suffixes = handler_list(options, "only_qname_suffix");
    bool done = read_rcodes(options, f, err) && read_types(options, f, err) &&
                read_answer_count(options, f, err) && read_dnstap(options, f, err) &&
                place_filter_read(options, &f->place, err);
    f->is_open = !f->excludes_noerror && !f->only_dnssec && !f->only_queries &&
                 !f->only_responses && f->answer_count < 0 && f->dnstap_type == 0 &&
                 f->rcodes == 0 && f->names.count == 0 && f->suffixes.count == 0 &&
                 f->types == NULL && !f->place.is_on;
    return done;
}

bool dns_filter_rcode(const struct dns_filter *filter, const struct dns_read *dns)
{
    return filter->rcodes == 0 || (dns_is_response(&dns->message) &&
                                   (filter->rcodes >> dns_rcode(&dns->message) & 1));
}

bool dns_filter_name(const struct dns_filter *filter, const struct dns_read *dns)
{
    struct span name = dns_read_name(dns);
    for (size_t i = 0; i < filter->names.count; i++) {
        if (span_equal(name, span_str(filter->names.words[i]))) {
            return true;
        }
    }
    return filter->names.count == 0;
}

bool dns_filter_suffix(const struct dns_filter *filter, const struct dns_read *dns)
{
    struct span name = dns_read_name(dns);
    for (size_t i = 0; i < filter->suffixes.count; i++) {
        struct span suffix = span_str(filter->suffixes.words[i]);
        if (name.size >= suffix.size &&
            memcmp(name.data + name.size - suffix.size, suffix.data, suffix.size) == 0) {
            return true;
        }
    }
    return filter->suffixes.count == 0;
}

bool dns_filter_type(const struct dns_filter *filter, const struct dns_read *dns)
{
    for (const uint16_t *type = filter->types; type != NULL && *type != 0; type++) {
        if (*type == dns->message.question_type) {
            return true;
        }
    }
    return filter->types == NULL;
}

bool dns_filter_place(const struct dns_filter *filter, struct dns_read *dns)
{
    if (!filter->place.is_on) {
        return true;
    }
    const struct dns_subnet *subnet = &dns_read_edns(dns)->subnet;
    return subnet->version != 0 &&
           place_filter_passes(&filter->place, filter->common.world, NULL, subnet->version,
                               subnet->bytes);
}

bool dns_filter_dnstap(const struct dns_filter *filter, const struct handler_event *event)
{
    return filter->dnstap_type == 0 || event->packet != NULL ||
           event->dnstap_type == filter->dnstap_type ||
           event->dnstap_type == filter->dnstap_type + 1;
}

/* Whether a response carries the signatures of what it answers (RFC 4035 §3.1.1). */
static bool is_signed(const struct dns_message *m)
{
    struct dns_record record;
    struct dns_walk walk = dns_walk_of(m);
    while (dns_is_response(m) && dns_walk_next(&walk, &record) && record.section == DNS_ANSWER) {
        if (record.type == DNS_RRSIG) {
            return true;
        }
    }
    return false;
}

bool dns_filter_outcome(const struct dns_filter *filter, const struct dns_read *dns)
{
    const struct dns_message *m = &dns->message;
    if (filter->excludes_noerror && dns_rcode(m) == 0) {
        return false;
    }
    if (filter->answer_count >= 0 && m->counts[DNS_ANSWER] != filter->answer_count) {
        return false;
    }
    return !filter->only_dnssec || is_signed(m);
}
