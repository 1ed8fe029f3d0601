// SPDX-License-Identifier: Apache-2.0
/* Random bytes become the values of an event with a field of every kind, any of them absent: its
 * JSON parses, as a document and among others. */
#include <stdlib.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/json_check.h"
#include "event/event_log.h"
#include "event/event_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
    struct event_head head;
    uint64_t time;
    uint64_t u64;
    struct span span;
    const char *text;
    const char *json;
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;
    bool flag;
    struct event_u16_list list;
    struct event_address address;
    struct event_mac mac;
    char inlined[16];
    struct event_spans spans;
    struct event_pairs pairs;
    struct event_items items;
    struct event_addresses addresses;
    struct event_optional optional;
};

#define FIELD(name_, kind_, member)                                                                \
    {                                                                                              \
        name_, kind_, offsetof(struct sample, member), 0, "for the fuzzer", NULL                   \
    }

static const struct event_field item_fields[] = {
    {"name", EVENT_SPAN, offsetof(struct event_pair, name), 0, "for the fuzzer", NULL},
    {"value", EVENT_SPAN, offsetof(struct event_pair, value), 0, "for the fuzzer", NULL},
    {0},
};
static const struct event_type item = {
    .dataset = "item", .help = "Two texts", .size = sizeof(struct event_pair),
    .fields = item_fields};

static const struct event_field common[] = {
    FIELD("b", EVENT_OPTIONAL, optional),
    {"items", EVENT_ITEMS, offsetof(struct sample, items), 0, "for the fuzzer", &item},
    FIELD("x.addresses", EVENT_ADDRESSES, addresses),
    FIELD("x.pairs", EVENT_PAIRS, pairs),
    {"x.y.spans", EVENT_SPANS, offsetof(struct sample, spans), EVENT_PLAIN_ONE, "a list", NULL},
    {0},
};
static const struct event_field fields[] = {
    FIELD("a.b.c.bool", EVENT_BOOL, flag),
    FIELD("a.b.c.u8", EVENT_U8, u8),
    FIELD("a.b.u16", EVENT_U16, u16),
    FIELD("a.d.u32", EVENT_U32, u32),
    FIELD("address", EVENT_ADDRESS, address),
    FIELD("json", EVENT_JSON, json),
    FIELD("text.inline", EVENT_INLINE, inlined),
    FIELD("text.span", EVENT_SPAN, span),
    FIELD("text.static", EVENT_TEXT, text),
    FIELD("time.at", EVENT_TIME, time),
    FIELD("x.y.list", EVENT_U16_LIST, list),
    FIELD("x.y.mac", EVENT_MAC, mac),
    FIELD("x.z.u64", EVENT_U64, u64),
    {0},
};

static const struct event_type type = {
    .dataset = "fuzz", .help = "Every kind", .size = sizeof(struct sample), .fields = fields,
    .common = common};

/* What lists of the sample are made of. */
enum { LIST_MAX = 5 };
struct lists {
    struct span texts[2 * LIST_MAX];
    struct event_pair pairs[LIST_MAX];
    struct event_address addresses[LIST_MAX];
};

/* Fills `size` bytes at `to`, or leaves them, as a bit says. */
static void fill(struct cursor *c, uint16_t present, unsigned bit, void *to, size_t size)
{
    struct span from = cursor_take(c, present >> bit & 1 ? size : 0);
    if (from.size > 0) {
        memcpy(to, from.data, from.size);
    }
}

static void sample_init(struct sample *s, struct cursor *c)
{
    uint16_t present = cursor_be16(c);
    *s = (struct sample){.head = {.type = &type}};
    fill(c, present, 0, &s->time, sizeof s->time);
    fill(c, present, 1, &s->u64, sizeof s->u64);
    fill(c, present, 2, &s->u32, sizeof s->u32);
    fill(c, present, 3, &s->u16, sizeof s->u16);
    fill(c, present, 4, &s->u8, sizeof s->u8);
    fill(c, present, 5, s->list.values, sizeof s->list.values);
    fill(c, present, 5, &s->list.count, sizeof s->list.count);
    fill(c, present, 6, &s->address, sizeof s->address);
    fill(c, present, 7, s->mac.bytes, sizeof s->mac.bytes);
    fill(c, present, 8, s->inlined, sizeof s->inlined - 1);
    s->mac.present = present >> 7 & 1;
    s->flag = present >> 9 & 1;
    s->text = present >> 10 & 1 ? "static \xff text" : NULL;
    s->json = present >> 11 & 1 ? "[{}]" : NULL;
    s->span = span_of(c->at, present >> 12 & 1 ? cursor_left(c) : 0);
}

/* Lists of the sample, taken from the bytes that its text is, too. */
static void lists_init(struct sample *s, struct lists *l, struct cursor *c)
{
    uint32_t count = cursor_u8(c) % (LIST_MAX + 1);
    for (uint32_t i = 0; i < 2 * count; i++) {
        l->texts[i] = cursor_take(c, cursor_u8(c) % 16);
    }
    for (uint32_t i = 0; i < count; i++) {
        l->pairs[i] = (struct event_pair){l->texts[2 * i], l->texts[2 * i + 1]};
        l->addresses[i] = s->address;
    }
    s->spans = (struct event_spans){2 * count, l->texts};
    s->pairs = (struct event_pairs){count, l->pairs};
    s->items = (struct event_items){count, l->pairs};
    s->addresses = (struct event_addresses){count, l->addresses};
    s->optional = (struct event_optional){s->u64, count > 0};
}

/* A writer that has seen all other inputs says the same. */
static bool writer_agrees(const struct event_head *event, const struct json *expected, struct json *j)
{
    static struct event_writer *writer;
    if (writer == NULL) {
        writer = event_writer_new(0);
    }
    json_reset(j);
    event_writer_put(writer, j, event);
    return j->size == expected->size && memcmp(j->data, expected->data, j->size) == 0;
}

/* A packed event says the same; with texts cut it is JSON still. */
static bool pack_is_fine(struct event_head *event, struct json *expected, struct json *j)
{
    size_t room = event_pack(NULL, 0, event, SIZE_MAX);
    void *copy = malloc(room);
    if (copy == NULL || event_pack(copy, room, event, SIZE_MAX) != room) {
        abort();
    }
    json_reset(j);
    event_json(j, copy);
    bool same = j->size == expected->size && memcmp(j->data, expected->data, j->size) == 0;
    struct event_log log = {.memory = copy, .capacity = room, .text_max = 5};
    json_reset(j);
    if (event_log_add(&log, event)) {
        event_json(j, event_log_first(&log));
        same = same && event_log_next(&log, event_log_first(&log)) == NULL &&
               json_check(j->data, j->size);
    }
    free(copy);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(span_of(data, size));
    struct sample s;
    struct lists lists;
    sample_init(&s, &c);
    lists_init(&s, &lists, &c);
    struct json j, other;
    json_init(&j);
    json_init(&other);
    event_json(&j, &s.head);
    bool fine = json_check(j.data, j.size) && pack_is_fine(&s.head, &j, &other) &&
                writer_agrees(&s.head, &j, &other);
    json_done(&other);
    json_reset(&j);
    json_array_begin(&j);
    event_json(&j, &s.head);
    event_json(&j, &s.head);
    json_array_end(&j);
    if (!fine || !json_check(j.data, j.size)) {
        abort();
    }
    json_done(&j);
    return 0;
}
