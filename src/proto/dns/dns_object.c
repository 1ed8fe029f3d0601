// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_object.h"

#include "base/address.h"
#include "proto/dns/dns_pen.h"

enum {
    QUESTION_TEXTS = 5, /* the name, and parts of it */
    LITERALS = 2 << 10, /* names of members, numbers and words */
};

_Static_assert(DNS_OBJECT_LISTS + 2 * DNS_OBJECT_OPTIONS + QUESTION_TEXTS * (DNS_NAME_BYTES + 2) +
                       DNS_OBJECT_ADDRESSES * (ADDRESS_ROOM + 3) + LITERALS <=
                   DNS_OBJECT_ROOM - DNS_PEN_BEHIND,
               "all that there is at most");

/* Whether an event has what is written here, and no more of it than there is room for. */
static bool is_ordinary(const struct dns_event *e)
{
    size_t lists = e->answers.size + e->authorities.size + e->additionals.size;
    return lists <= DNS_OBJECT_LISTS && e->options_size <= DNS_OBJECT_OPTIONS &&
           e->resolved.count <= DNS_OBJECT_ADDRESSES &&
           (e->is_name_plain || e->question_name.size == 0) &&
           e->options[DNS_SHOWN_EXPIRE].size == 0 && e->options[DNS_SHOWN_ERRORS].size == 0;
}

/* Members have a comma behind them; the last one's becomes the end of their object. */
static char *end_members(char *to)
{
    to[-1] = '}';
    return to;
}

/* ---- Counts and lists ------------------------------------------------------------------------- */

static char *put_list(char *to, struct span list)
{
    memcpy(to, list.data, list.size);
    to += list.size;
    *to++ = ',';
    return to;
}

static char *put_sections(char *to, const struct dns_event *e)
{
    if (e->additionals.size > 0) {
        to = dns_pen_put(to, "\"additionals\":");
        to = put_list(to, e->additionals);
    }
    to = dns_pen_put(to, "\"additionals_count\":");
    to = dns_pen_number(to, e->additional_count);
    if (e->answers.size > 0) {
        to = dns_pen_put(to, ",\"answers\":");
        to = put_list(to, e->answers) - 1;
    }
    to = dns_pen_put(to, ",\"answers_count\":");
    to = dns_pen_number(to, e->answer_count);
    if (e->authorities.size > 0) {
        to = dns_pen_put(to, ",\"authorities\":");
        to = put_list(to, e->authorities) - 1;
    }
    to = dns_pen_put(to, ",\"authorities_count\":");
    return dns_pen_number(to, e->authority_count);
}

/* ---- Flags ------------------------------------------------------------------------------------ */

/* A flag that is not set and one that is, each with its comma; `size` of the first, which is longer. */
struct flag {
    char text[2][40];
    uint8_t size;
};

#define FLAG(name)                                                                                 \
    {                                                                                              \
        .text = {"\"" name "\":false,", "\"" name "\":true,"}, .size = sizeof("\"" name "\":false,") - 1 \
    }

static const struct flag authentic_data = FLAG("authentic_data");
static const struct flag authoritative = FLAG("authoritative");
static const struct flag checking_disabled = FLAG("checking_disabled");
static const struct flag recursion_available = FLAG("recursion_available");
static const struct flag recursion_desired = FLAG("recursion_desired");
static const struct flag truncated = FLAG("truncated_response");

static inline char *put_flag(char *to, const struct flag *flag, bool is_set)
{
    memcpy(to, flag->text[is_set], sizeof flag->text[is_set]);
    return to + flag->size - is_set;
}

static char *put_flags(char *to, const struct dns_event *e)
{
    to = dns_pen_put(to, ",\"flags\":{");
    to = put_flag(to, &authentic_data, e->authentic_data);
    to = put_flag(to, &authoritative, e->authoritative);
    to = put_flag(to, &checking_disabled, e->checking_disabled);
    to = put_flag(to, &recursion_available, e->recursion_available);
    to = put_flag(to, &recursion_desired, e->recursion_desired);
    to = put_flag(to, &truncated, e->truncated);
    to = end_members(to);
    if (e->header_flags.count > 0) {
        to = dns_pen_put(to, ",\"header_flags\":[");
        for (uint32_t i = 0; i < e->header_flags.count; i++) {
            const uint8_t *name = e->header_flags.items[i].data;
            const char text[5] = {'"', (char)name[0], (char)name[1], '"', ','};
            to = dns_pen_bytes(to, text, sizeof text);
        }
        to[-1] = ']';
    }
    return to;
}

/* ---- EDNS ------------------------------------------------------------------------------------- */

/* Those before what the OPT itself says, and those around it, as they sort; without those that are
 * extra. */
static const struct {
    enum dns_shown_option number;
    char key[16];
} first_options[] = {{DNS_SHOWN_COOKIE, "\"cookie\":"},
                     {DNS_SHOWN_DAU, "\"dau\":"},
                     {DNS_SHOWN_DHU, "\"dhu\":"}},
  later_options[] = {{DNS_SHOWN_LLQ, "\"llq\":"},   {DNS_SHOWN_LOCAL, "\"local\":"},
                     {DNS_SHOWN_N3U, "\"n3u\":"},   {DNS_SHOWN_NSID, "\"nsid\":"},
                     {DNS_SHOWN_SUBNET, "\"subnet\":"}};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static char *put_option(char *to, const char *key, struct span value)
{
    if (value.size > 0) {
        to = stpcpy(to, key);
        to = dns_pen_quoted(to, value);
        *to++ = ',';
    }
    return to;
}

static char *put_edns(char *to, const struct dns_event *e)
{
    to = dns_pen_put(to, ",\"opt\":{");
    for (unsigned i = 0; i < COUNT(first_options) && e->options_size > 0; i++) {
        to = put_option(to, first_options[i].key, e->options[first_options[i].number]);
    }
    to = e->dnssec_ok == 2 ? dns_pen_put(to, "\"do\":true,") : dns_pen_put(to, "\"do\":false,");
    to = dns_pen_put(to, "\"ext_rcode\":\"");
    to = dns_pen_word(to, e->extended_rcode);
    to = dns_pen_put(to, "\",");
    for (unsigned i = 0; i < COUNT(later_options) && e->options_size > 0; i++) {
        to = put_option(to, later_options[i].key, e->options[later_options[i].number]);
    }
    to = dns_pen_put(to, "\"udp_size\":");
    to = digits_write(to, e->udp_size.value);
    *to++ = ',';
    to = put_option(to, "\"ul\":", e->options[DNS_SHOWN_UL]);
    to = dns_pen_put(to, "\"version\":\"");
    to = dns_pen_word(to, e->edns_version);
    return dns_pen_put(to, "\"}");
}

/* ---- The question, and what came of it -------------------------------------------------------- */

static char *put_question(char *to, const struct dns_event *e)
{
    to = dns_pen_put(to, ",\"question\":{\"class\":\"");
    to = dns_pen_word(to, e->question_class);
    if (e->effective_domain.size > 0) {
        to = dns_pen_put(to, "\",\"etld_plus_one\":\"");
        to = dns_pen_text(to, e->effective_domain);
    }
    to = dns_pen_put(to, "\",\"name\":\"");
    to = dns_pen_text(to, e->question_name);
    if (e->registered_domain.size > 0) {
        to = dns_pen_put(to, "\",\"registered_domain\":\"");
        to = dns_pen_text(to, e->registered_domain);
    }
    if (e->subdomain.size > 0) {
        to = dns_pen_put(to, "\",\"subdomain\":\"");
        to = dns_pen_text(to, e->subdomain);
    }
    if (e->top_level_domain.size > 0) {
        to = dns_pen_put(to, "\",\"top_level_domain\":\"");
        to = dns_pen_text(to, e->top_level_domain);
    }
    to = dns_pen_put(to, "\",\"type\":\"");
    to = dns_pen_word(to, e->question_type);
    return dns_pen_put(to, "\"}");
}

static char *put_resolved(char *to, const struct event_addresses *resolved)
{
    to = dns_pen_put(to, ",\"resolved_ip\":[");
    for (uint32_t i = 0; i < resolved->count; i++) {
        *to++ = '"';
        to = address_write(to, resolved->items[i].version, resolved->items[i].bytes);
        to = dns_pen_put(to, "\",");
    }
    to[-1] = ']';
    return to;
}

size_t dns_object_write(char *to, const struct dns_event *event)
{
    const char *start = to;
    if (!is_ordinary(event)) {
        return 0;
    }
    *to++ = '{';
    to = put_sections(to, event);
    to = put_flags(to, event);
    to = dns_pen_put(to, ",\"id\":");
    to = dns_pen_number(to, event->id);
    to = dns_pen_put(to, ",\"op_code\":\"");
    to = dns_pen_word(to, event->opcode);
    *to++ = '"';
    if (event->dnssec_ok != 0) {
        to = put_edns(to, event);
    }
    if (event->question_name.size > 0) {
        to = put_question(to, event);
    }
    if (event->resolved.count > 0) {
        to = put_resolved(to, &event->resolved);
    }
    to = dns_pen_put(to, ",\"response_code\":\"");
    to = dns_pen_word(to, event->response_code);
    to = dns_pen_put(to, "\",\"type\":\"");
    to = stpcpy(to, event->type);
    to = dns_pen_put(to, "\"}");
    return (size_t)(to - start);
}
