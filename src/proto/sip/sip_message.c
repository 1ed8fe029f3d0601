// SPDX-License-Identifier: Apache-2.0
#include "proto/sip/sip_message.h"

#include <strings.h>

enum { METHOD_MAX = 20, CODE_AT = 8, CODE_DIGITS = 3, VERSION_SIZE = 8, DIGITS_MAX = 15 };

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span sip_trim(struct span text)
{
    while (text.size > 0 && is_space(text.data[0])) {
        text = span_skip(text, 1);
    }
    while (text.size > 0 && is_space(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

struct span sip_next(struct span *rest, uint8_t separator)
{
    if (rest->size == 0) {
        return *rest;
    }
    const uint8_t *at = memchr(rest->data, separator, rest->size);
    size_t size = at != NULL ? (size_t)(at - rest->data) : rest->size;
    struct span head = span_head(*rest, size);
    *rest = span_skip(*rest, size + 1);
    return head;
}

int64_t sip_number(struct span text)
{
    int64_t value = 0;
    text = sip_trim(text);
    size_t i = 0;
    for (; i < text.size && i < DIGITS_MAX && is_digit(text.data[i]); i++) {
        value = value * 10 + (text.data[i] - '0');
    }
    return i > 0 ? value : -1;
}

/* ---- The first line ------------------------------------------------------------------------- */

static enum proto_guess starts_with(struct span bytes, const char *start)
{
    size_t size = strlen(start);
    size_t there = bytes.size < size ? bytes.size : size;
    if (there > 0 && strncasecmp((const char *)bytes.data, start, there) != 0) {
        return PROTO_NO;
    }
    return there == size ? PROTO_YES : PROTO_UNSURE;
}

static enum proto_guess look_at_response(struct span bytes)
{
    for (size_t i = CODE_AT; i < CODE_AT + CODE_DIGITS; i++) {
        if (i >= bytes.size) {
            return PROTO_UNSURE;
        }
        if (!is_digit(bytes.data[i]) || (i == CODE_AT && (bytes.data[i] < '1' || bytes.data[i] > '6'))) {
            return PROTO_NO;
        }
    }
    return memchr(bytes.data, '\n', bytes.size < SIP_LINE_MAX ? bytes.size : SIP_LINE_MAX)
               ? PROTO_YES
           : bytes.size < SIP_LINE_MAX ? PROTO_UNSURE
                                       : PROTO_NO;
}

static enum proto_guess look_at_uri(struct span bytes)
{
    static const char *const schemes[] = {"sip:", "sips:", "tel:", "urn:", "im:", "pres:"};
    enum proto_guess best = PROTO_NO;
    for (unsigned i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        enum proto_guess looks = starts_with(bytes, schemes[i]);
        best = looks > best ? looks : best;
    }
    return best;
}

static enum proto_guess look_at_request(struct span bytes)
{
    size_t size = 0;
    while (size < bytes.size && bytes.data[size] >= 'A' && bytes.data[size] <= 'Z') {
        size++;
    }
    if (size > METHOD_MAX || (size < bytes.size && (size < 3 || bytes.data[size] != ' '))) {
        return PROTO_NO;
    }
    if (size >= bytes.size) {
        return PROTO_UNSURE;
    }
    enum proto_guess looks = look_at_uri(span_skip(bytes, size + 1));
    if (looks != PROTO_YES) {
        return looks;
    }
    struct span rest = span_head(bytes, SIP_LINE_MAX);
    bool is_whole = memchr(rest.data, '\n', rest.size) != NULL;
    if (!is_whole) {
        return bytes.size < SIP_LINE_MAX ? PROTO_UNSURE : PROTO_NO;
    }
    struct span line = sip_trim(sip_next(&rest, '\n'));
    bool fine = line.size > VERSION_SIZE &&
                memcmp(line.data + line.size - VERSION_SIZE, " SIP/2.0", VERSION_SIZE) == 0;
    return fine ? PROTO_YES : PROTO_NO;
}

enum proto_guess sip_look(struct span bytes)
{
    if (bytes.size == 0) {
        return PROTO_UNSURE;
    }
    size_t there = bytes.size < CODE_AT ? bytes.size : CODE_AT;
    if (memcmp(bytes.data, "SIP/2.0 ", there) == 0) {
        return there == CODE_AT ? look_at_response(bytes) : PROTO_UNSURE;
    }
    return look_at_request(bytes);
}

size_t sip_head_size(struct span bytes, size_t from)
{
    for (size_t i = from; i < bytes.size; i++) {
        if (bytes.data[i] != '\n') {
            continue;
        }
        size_t before = i > 0 && bytes.data[i - 1] == '\r' ? i - 1 : i;
        if (before > 0 && bytes.data[before - 1] == '\n') {
            return i + 1;
        }
    }
    return 0;
}

/* ---- Headers -------------------------------------------------------------------------------- */

static int header_of(struct span name)
{
    static const struct {
        const char *name;
        enum sip_header header;
    } names[] = {
        {"accept", SIP_ACCEPT},
        {"allow", SIP_ALLOW},
        {"authorization", SIP_AUTHORIZATION},
        {"call-id", SIP_CALL_ID},
        {"i", SIP_CALL_ID},
        {"contact", SIP_CONTACT},
        {"m", SIP_CONTACT},
        {"content-length", SIP_CONTENT_LENGTH},
        {"l", SIP_CONTENT_LENGTH},
        {"content-type", SIP_CONTENT_TYPE},
        {"c", SIP_CONTENT_TYPE},
        {"cseq", SIP_CSEQ},
        {"from", SIP_FROM},
        {"f", SIP_FROM},
        {"max-forwards", SIP_MAX_FORWARDS},
        {"p-associated-uri", SIP_P_ASSOCIATED_URI},
        {"proxy-authorization", SIP_PROXY_AUTHORIZATION},
        {"supported", SIP_SUPPORTED},
        {"k", SIP_SUPPORTED},
        {"to", SIP_TO},
        {"t", SIP_TO},
        {"user-agent", SIP_USER_AGENT},
        {"via", SIP_VIA},
        {"v", SIP_VIA},
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) == name.size &&
            strncasecmp(names[i].name, (const char *)name.data, name.size) == 0) {
            return (int)names[i].header;
        }
    }
    return -1;
}

/* A header with the lines that continue it (§7.3.1). */
static struct span next_header(struct span *rest)
{
    struct span header = sip_next(rest, '\n');
    while (rest->size > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        struct span more = sip_next(rest, '\n');
        header.size = (size_t)(more.data + more.size - header.data);
    }
    return header;
}

static void read_header(struct sip_message *m, struct span line)
{
    struct span value = line;
    struct span name = sip_trim(sip_next(&value, ':'));
    int header = name.size > 0 ? header_of(name) : -1;
    if (header < 0) {
        return;
    }
    value = sip_trim(value);
    if (header == SIP_VIA && m->vias < SIP_VIAS_MAX) {
        m->via[m->vias++] = value;
    }
    if (m->header[header].data == NULL) {
        m->header[header] = value;
    }
}

static void read_first(struct sip_message *m, struct span line)
{
    m->is_request = line.data[0] != 'S' || memcmp(line.data, "SIP/2.0 ", CODE_AT) != 0;
    if (m->is_request) {
        m->method = sip_next(&line, ' ');
        m->uri = span_head(line, line.size - VERSION_SIZE);
    } else {
        m->code = (unsigned)sip_number(span_head(span_skip(line, CODE_AT), CODE_DIGITS));
        m->phrase = sip_trim(span_skip(line, CODE_AT + CODE_DIGITS));
    }
}

void sip_message_read(struct sip_message *m, struct span head)
{
    *m = (struct sip_message){0};
    read_first(m, sip_trim(sip_next(&head, '\n')));
    for (unsigned i = 0; i < SIP_HEADERS_MAX && head.size > 0; i++) {
        read_header(m, next_header(&head));
    }
}

int64_t sip_content_length(const struct sip_message *m)
{
    return sip_number(m->header[SIP_CONTENT_LENGTH]);
}

/* ---- Addresses ------------------------------------------------------------------------------ */

static void read_host(struct sip_uri *uri, struct span text)
{
    bool is_v6 = text.size > 0 && text.data[0] == '[';
    struct span rest = text;
    if (is_v6) {
        rest = span_skip(text, 1);
        uri->host = sip_next(&rest, ']');
        rest = rest.size > 0 && rest.data[0] == ':' ? span_skip(rest, 1) : span_head(rest, 0);
    } else {
        uri->host = sip_next(&rest, ':');
    }
    uri->port = sip_number(rest);
}

struct sip_uri sip_uri_read(struct span text)
{
    struct sip_uri uri = {.original = text, .port = -1};
    struct span rest = text;
    if (text.size == 0 || memchr(text.data, ':', text.size) == NULL) {
        return uri;
    }
    uri.scheme = sip_next(&rest, ':');
    const uint8_t *at = rest.size > 0 ? memchr(rest.data, '@', rest.size) : NULL;
    if (at != NULL) {
        struct span user = sip_next(&rest, '@');
        uri.user = sip_next(&user, ':'); /* a password is not shown */
    }
    uri.parameters = rest;
    struct span host = sip_next(&uri.parameters, ';');
    read_host(&uri, sip_next(&host, '?'));
    return uri;
}

struct sip_address sip_address_read(struct span text)
{
    struct sip_address a = {0};
    const uint8_t *open = text.size > 0 ? memchr(text.data, '<', text.size) : NULL;
    struct span rest = text;
    if (open == NULL) { /* parameters are the header's, not the address's */
        a.parameters = text;
        a.uri = sip_uri_read(sip_trim(sip_next(&a.parameters, ';')));
        return a;
    }
    a.display = sip_trim(sip_next(&rest, '<'));
    if (a.display.size >= 2 && a.display.data[0] == '"') {
        a.display = span_of(a.display.data + 1, a.display.size - 2);
    }
    a.uri = sip_uri_read(sip_next(&rest, '>'));
    (void)sip_next(&rest, ';');
    a.parameters = rest;
    return a;
}

struct span sip_parameter(struct span parameters, const char *name, uint8_t separator)
{
    while (parameters.size > 0) {
        struct span value = sip_next(&parameters, separator);
        struct span key = sip_trim(sip_next(&value, '='));
        if (key.size == strlen(name) &&
            strncasecmp((const char *)key.data, name, key.size) == 0) {
            value = sip_trim(value);
            bool is_quoted = value.size >= 2 && value.data[0] == '"';
            return is_quoted ? span_of(value.data + 1, value.size - 2) : value;
        }
    }
    return span_of(NULL, 0);
}
