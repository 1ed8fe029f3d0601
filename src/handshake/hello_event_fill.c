// SPDX-License-Identifier: Apache-2.0
#include "handshake/hello_event.h"
#include "handshake/hello_names.h"

#include "base/json.h"

typedef const char *namer(uint16_t number);

/* ---- Texts ---------------------------------------------------------------------------------- */

static struct span hex_text(struct scratch *s, struct span bytes)
{
    const uint8_t *begin = s->at;
    if ((size_t)(s->end - s->at) < 2 * bytes.size + 1) {
        s->full = true;
        return span_of("", 0);
    }
    fingerprint_hex((char *)s->at, bytes, false);
    s->at += 2 * bytes.size;
    return scratch_since(s, begin);
}

/* The name of a number, or what Packetbeat writes for one that has none: "(unknown:0xff85)", or
 * "(unknown:7)" of those that are one byte. */
static struct span named(struct scratch *s, namer *name_of, uint16_t number, size_t size)
{
    const char *name = name_of(number);
    if (name != NULL) {
        return span_str(name);
    }
    const uint8_t *begin = s->at;
    scratch_append(s, size == 1 ? "(unknown:" : "(unknown:0x");
    if (size == 1) {
        char digits[JSON_U64_MAX];
        char *end = json_digits(digits, number);
        (void)scratch_text(s, span_of(digits, (size_t)(end - digits)));
    } else {
        uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
        (void)hex_text(s, span_of(bytes, sizeof bytes));
    }
    scratch_append(s, ")");
    return scratch_since(s, begin);
}

/* A list for an event, that grows to `most` items. */
struct builder {
    struct span *items;
    uint32_t count;
    uint32_t most;
};

static struct builder build(struct scratch *s, size_t most)
{
    most = most < HELLO_LIST_MAX ? most : HELLO_LIST_MAX;
    struct builder b = {.items = scratch_take(s, most * sizeof(struct span))};
    b.most = b.items != NULL ? (uint32_t)most : 0;
    return b;
}

static void add(struct builder *b, struct span item)
{
    if (b->count < b->most) {
        b->items[b->count++] = item;
    }
}

static struct event_spans built(const struct builder *b)
{
    return (struct event_spans){.count = b->count, .items = b->items};
}

/* ---- Names of lists ------------------------------------------------------------------------- */

/* What a list of a hello is of; the first is the salt of none. */
enum listed { LISTED_CIPHERS = 1, LISTED_GROUPS, LISTED_SIGNATURES, LISTED_VERSIONS, LISTED_FORMATS,
              LISTED_COMPRESSIONS };

struct listed_kind {
    namer *name_of;
    uint8_t size; /* of a number, bytes */
};

static const struct listed_kind listed[] = {
    [LISTED_CIPHERS] = {hello_cipher_name, 2},
    [LISTED_GROUPS] = {hello_group_name, 2},
    [LISTED_SIGNATURES] = {hello_signature_name, 2},
    [LISTED_VERSIONS] = {hello_version_name, 2},
    [LISTED_FORMATS] = {hello_point_format_name, 1},
    [LISTED_COMPRESSIONS] = {hello_compression_name, 1},
};

/* The names of a list of numbers, as a list in JSON: none has a letter that would be escaped. Empty when
 * there is no number, or no room. */
static struct span write_names(struct scratch *s, enum listed what, struct span list)
{
    const uint8_t *begin = s->at;
    size_t size = listed[what].size, count = list.size / size;
    if (count == 0) {
        return span_of(NULL, 0);
    }
    for (size_t i = 0; i < count && i < HELLO_LIST_MAX; i++) {
        const uint8_t *at = list.data + i * size;
        uint16_t number = size == 1 ? at[0] : load_be16(at);
        const char *name = listed[what].name_of(number);
        scratch_append(s, i == 0 ? "[\"" : ",\"");
        if (name != NULL) {
            scratch_append(s, name);
        } else {
            (void)named(s, listed[what].name_of, number, size);
        }
        scratch_append(s, "\"");
    }
    scratch_append(s, "]");
    return s->full ? span_of(NULL, 0) : scratch_since(s, begin);
}

/* The same, remembered. */
static struct span names_of(struct scratch *s, struct hello_cache *cache, enum listed what,
                            struct span list)
{
    static const struct recall_shape shape = {HELLO_NAMES, HELLO_NAMES_KEY, HELLO_NAMES_ROOM};
    struct recall_slot *slot =
        cache != NULL ? recall_find(cache->names, &shape, cache->turn, what, list) : NULL;
    if (slot == NULL) {
        return write_names(s, what, list);
    }
    struct span *known = recall_value(slot, &shape);
    if (!slot->is_made) {
        struct scratch room = scratch_of(known + 1, HELLO_NAMES_ROOM - sizeof *known);
        *known = write_names(&room, what, list);
        if (room.full) {
            return write_names(s, what, list);
        }
        slot->is_made = true;
    }
    return *known;
}

/* ---- Extensions ----------------------------------------------------------------------------- */

static bool has_server_name(struct span body)
{
    struct cursor at = cursor_of(hello_list(body, 2));
    struct span name;
    return hello_next_name(&at, &name);
}

static struct event_spans server_names(struct scratch *s, struct span list)
{
    enum { NAMES_MAX = 8 };
    struct builder b = build(s, NAMES_MAX);
    struct cursor at = cursor_of(list);
    struct span name;
    while (b.count < b.most && hello_next_name(&at, &name)) {
        add(&b, name);
    }
    return built(&b);
}

/* What is offered to be spoken, as a list in JSON. */
static struct span protocols(struct scratch *s, struct span list)
{
    enum { PROTOCOLS_MAX = 64 };
    struct json json = {.data = (char *)s->at, .capacity = (size_t)(s->end - s->at), .is_fixed = true};
    struct cursor at = cursor_of(list);
    struct span name;
    unsigned count = 0;
    json_array_begin(&json);
    for (; count < list.size / 2 && count < PROTOCOLS_MAX && hello_next_protocol(&at, &name); count++) {
        json_span(&json, name);
    }
    json_array_end(&json);
    s->full = s->full || json.failed;
    if (json.failed || count == 0) {
        return span_of(NULL, 0);
    }
    s->at += json.size;
    return span_of(json.data, json.size);
}

static struct span ticket(struct scratch *s, struct span body)
{
    const uint8_t *begin = s->at;
    if (body.size > 0) {
        char digits[JSON_U64_MAX];
        char *end = json_digits(digits, body.size);
        scratch_append(s, "(");
        (void)scratch_text(s, span_of(digits, (size_t)(end - digits)));
        scratch_append(s, " bytes)");
    }
    return scratch_since(s, begin);
}

/* RFC 6066 §8 */
static bool status_request(struct hello_details *d, struct span body)
{
    struct cursor c = cursor_of(body);
    uint8_t type = cursor_u8(&c);
    struct span responders = cursor_take(&c, cursor_be16(&c));
    struct span extensions = cursor_take(&c, cursor_be16(&c));
    if (c.bad || type != 1) {
        return false;
    }
    d->status_type = "ocsp";
    d->status_responders = (struct event_optional){.value = responders.size, .present = true};
    d->status_extensions = (struct event_optional){.value = extensions.size, .present = true};
    return true;
}

/* Where an extension's contents are told: what details are made of, and with. */
struct teller {
    struct hello_details *details;
    struct scratch *scratch;
    struct hello_cache *cache;
};

static bool tell_names(const struct teller *t, enum listed what, struct span list, struct span *ret)
{
    *ret = names_of(t->scratch, t->cache, what, list);
    return ret->size > 0;
}

static bool versions(const struct teller *t, struct span body, bool is_server)
{
    if (is_server && body.size == 2) {
        t->details->version_chosen =
            named(t->scratch, hello_version_name, load_be16(body.data), 2);
        return true;
    }
    return tell_names(t, LISTED_VERSIONS, hello_list(body, 1), &t->details->versions);
}

/* Tells an extension that both sides may send; false when it is to be named only. */
static bool tell_common(const struct teller *t, const struct hello_extension *e)
{
    struct hello_details *d = t->details;
    switch (e->id) {
    case HELLO_POINT_FORMATS:
        return tell_names(t, LISTED_FORMATS, hello_list(e->body, 1), &d->point_formats);
    case HELLO_ALPN:
        d->protocols = protocols(t->scratch, hello_list(e->body, 2));
        return d->protocols.size > 0;
    case HELLO_TICKET:
        d->ticket = ticket(t->scratch, e->body);
        return true;
    default:
        return false;
    }
}

static bool tell_client(const struct teller *t, const struct hello_extension *e)
{
    struct hello_details *d = t->details;
    switch (e->id) {
    case HELLO_SERVER_NAME: /* told behind, for it is another one in each hello */
        return has_server_name(e->body);
    case HELLO_STATUS_REQUEST:
        return status_request(d, e->body);
    case HELLO_GROUPS:
        return tell_names(t, LISTED_GROUPS, hello_list(e->body, 2), &d->groups);
    case HELLO_SIGNATURES:
        return tell_names(t, LISTED_SIGNATURES, hello_list(e->body, 2), &d->signatures);
    case HELLO_VERSIONS:
        return versions(t, e->body, false);
    default:
        return tell_common(t, e);
    }
}

static bool tell_server(const struct teller *t, const struct hello_extension *e)
{
    switch (e->id) {
    case HELLO_STATUS_REQUEST:
        t->details->has_status = true;
        return true;
    case HELLO_VERSIONS:
        return versions(t, e->body, true);
    default:
        return tell_common(t, e);
    }
}

static struct span extension_name(struct scratch *s, uint16_t id)
{
    const char *name = hello_extension_name(id);
    if (name != NULL) {
        return span_str(name);
    }
    char digits[JSON_U64_MAX];
    char *end = json_digits(digits, id);
    return scratch_text(s, span_of(digits, (size_t)(end - digits)));
}

/* A list of names, none of which has a letter that would be escaped. */
static struct span write_list(struct scratch *s, const struct span *items, unsigned count)
{
    const uint8_t *begin = s->at;
    if (count == 0) {
        return span_of(NULL, 0);
    }
    for (unsigned i = 0; i < count; i++) {
        scratch_append(s, i == 0 ? "[\"" : "\",\"");
        (void)scratch_text(s, items[i]);
    }
    scratch_append(s, "\"]");
    return s->full ? span_of(NULL, 0) : scratch_since(s, begin);
}

static void tell_extensions(const struct teller *t, const struct hello *hello)
{
    struct span unparsed[HELLO_EXTENSIONS_MAX];
    unsigned count = 0;
    struct cursor at = cursor_of(hello->extensions);
    struct hello_extension e;
    for (unsigned i = 0; i < HELLO_EXTENSIONS_MAX && hello_next_extension(&at, &e); i++) {
        bool told = hello->is_server ? tell_server(t, &e) : tell_client(t, &e);
        if (!told) {
            unparsed[count++] = extension_name(t->scratch, e.id);
        }
    }
    t->details->unparsed = write_list(t->scratch, unparsed, count);
}

/* All but what is another one in each hello. */
static void tell_details(const struct teller *t, const struct hello *hello)
{
    struct hello_details *d = t->details;
    d->version[0] = (char)('0' + (hello->version >> 8) % 10);
    d->version[1] = '.';
    char *end = json_digits(d->version + 2, hello->version & 0xff);
    *end = 0;
    if (hello->is_server) {
        const char *name = hello_compression_name(hello->compression);
        d->compression = name != NULL ? name : "(unknown)";
    } else {
        (void)tell_names(t, LISTED_COMPRESSIONS, hello->compressions, &d->compressions);
    }
    tell_extensions(t, hello);
}

/* ---- Hellos --------------------------------------------------------------------------------- */

struct prints {
    char ja3[FINGERPRINT_JA3_ROOM]; /* of a server JA3S */
    char ja4[FINGERPRINT_JA4_ROOM];
};

static void make_prints(struct prints *to, const struct hello *hello, const struct hello_show *show)
{
    *to = (struct prints){.ja3 = ""};
    if (hello->is_server && show->prints & HELLO_JA3S) {
        fingerprint_ja3s(to->ja3, hello);
    }
    if (!hello->is_server && show->prints & HELLO_JA3) {
        fingerprint_ja3(to->ja3, hello);
    }
    if (!hello->is_server && show->prints & HELLO_JA4) {
        fingerprint_ja4(to->ja4, hello, show->transport);
    }
}

/* The fingerprints of a hello; those of one that is alike are remembered. */
static void prints_of(struct prints *ret, const struct hello *hello, const struct hello_show *show)
{
    static const struct recall_shape shape = {HELLO_PRINTS, HELLO_PRINTS_KEY, HELLO_PRINTS_ROOM};
    _Static_assert(sizeof(struct prints) <= HELLO_PRINTS_ROOM, "room for them");
    struct hello_cache *cache = show->cache;
    uint8_t room[HELLO_PRINTS_KEY];
    struct span key = span_of(room, cache != NULL ? fingerprint_key(room, sizeof room, hello) : 0);
    struct recall_slot *slot =
        cache != NULL ? recall_find(cache->prints, &shape, cache->turn, hello->is_server, key) : NULL;
    if (slot == NULL) {
        make_prints(ret, hello, show);
        return;
    }
    struct prints *known = recall_value(slot, &shape);
    if (!slot->is_made) {
        make_prints(known, hello, show);
        slot->is_made = true;
    }
    *ret = *known;
}

/* What a hello offers or chooses, in all hellos of one outline. */
struct offer {
    struct prints prints;
    uint16_t best_version;
    struct span ciphers;       /* of a client: JSON; of a server the name of one */
    struct span next_protocol; /* of a server */
    struct hello_details details;
};

/* With texts in the scratch, and in the cache unless that is NULL. */
static void make_offer(struct offer *to, struct scratch *s, const struct hello *hello,
                       const struct hello_show *show)
{
    *to = (struct offer){.best_version = hello_best_version(hello)};
    prints_of(&to->prints, hello, show);
    if (hello->is_server) {
        to->ciphers = named(s, hello_cipher_name, hello->cipher, 2);
        to->next_protocol = scratch_text(s, hello_first_protocol(hello));
    } else {
        to->ciphers = names_of(s, show->cache, LISTED_CIPHERS, hello->ciphers);
    }
    if (show->detailed) {
        tell_details(&(struct teller){&to->details, s, show->cache}, hello);
    }
}

/* The same, remembered; `made` is for what is not. */
static const struct offer *offer_of(struct offer *made, struct scratch *scratch,
                                    const struct hello *hello, const struct hello_show *show)
{
    static const struct recall_shape shape = {HELLO_OFFERS, HELLO_OFFERS_KEY, HELLO_OFFERS_ROOM};
    struct hello_cache *cache = show->cache;
    uint8_t room[HELLO_OFFERS_KEY];
    struct span key = span_of(room, cache != NULL ? hello_outline(room, sizeof room, hello) : 0);
    struct recall_slot *slot =
        cache != NULL ? recall_find(cache->offers, &shape, cache->turn, hello->is_server, key) : NULL;
    struct offer *known = slot != NULL ? recall_value(slot, &shape) : NULL;
    if (slot != NULL && !slot->is_made) {
        struct scratch kept = scratch_of(known + 1, HELLO_OFFERS_ROOM - sizeof *known);
        struct hello_show alone = *show; /* all texts are to be in the slot */
        alone.cache = NULL;
        make_offer(known, &kept, hello, &alone);
        slot->is_made = !kept.full;
    }
    if (slot != NULL && slot->is_made) {
        return known;
    }
    make_offer(made, scratch, hello, show);
    return made;
}

static void tell_own_details(struct hello_details *d, struct scratch *s, const struct hello *hello)
{
    d->random = hex_text(s, hello->random);
    d->session_id = hex_text(s, hello->session_id);
}

/* Whom a client asks for: where it says so more than once, the first one, and in details the last. */
static void tell_server_names(struct hello_event *event, struct scratch *s, const struct hello *hello)
{
    struct cursor at = cursor_of(hello->extensions);
    struct hello_extension e;
    for (unsigned i = 0; i < HELLO_EXTENSIONS_MAX && hello_next_extension(&at, &e); i++) {
        if (e.id == HELLO_SERVER_NAME) {
            event->client_hello.server_names = server_names(s, hello_list(e.body, 2));
        }
    }
}

void hello_event_client(struct hello_event *event, struct scratch *scratch,
                        const struct hello *hello, const struct hello_show *show)
{
    struct offer made;
    const struct offer *offer = offer_of(&made, scratch, hello, show);
    event->server_name = hello_server_name(hello);
    event->transaction.destination_domain = event->server_name;
    event->supported_ciphers = offer->ciphers;
    memcpy(event->ja3, offer->prints.ja3, sizeof event->ja3);
    memcpy(event->ja4, offer->prints.ja4, sizeof event->ja4);
    if (show->detailed) {
        event->client_hello = offer->details;
        tell_own_details(&event->client_hello, scratch, hello);
        tell_server_names(event, scratch, hello);
    }
}

void hello_event_version(struct hello_event *event, uint16_t version, const struct hello_show *show)
{
    event->version = hello_version_number(version);
    event->version_protocol = event->version == NULL ? NULL : version == 0x0300 ? "ssl" : "tls";
    event->version_name = show->detailed ? hello_version_name(version) : NULL;
}

void hello_event_server(struct hello_event *event, struct scratch *scratch,
                        const struct hello *hello, const struct hello_show *show)
{
    struct offer made;
    const struct offer *offer = offer_of(&made, scratch, hello, show);
    hello_event_version(event, offer->best_version, show);
    event->cipher = offer->ciphers;
    event->next_protocol = offer->next_protocol;
    memcpy(event->ja3s, offer->prints.ja3, sizeof event->ja3s);
    if (show->detailed) {
        event->server_hello = offer->details;
        tell_own_details(&event->server_hello, scratch, hello);
    }
}
