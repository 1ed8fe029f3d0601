// SPDX-License-Identifier: Apache-2.0
/* Random bytes become the values of an event with a field of every kind, any of them absent: its
 * JSON parses, as a document and among others. */
#include <stdlib.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/json_check.h"
#include "event/event.h"

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
};

#define FIELD(name_, kind_, member)                                                                \
    {                                                                                              \
        name_, kind_, offsetof(struct sample, member), 0, "for the fuzzer"                         \
    }

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
    .dataset = "fuzz", .help = "Every kind", .size = sizeof(struct sample), .fields = fields};

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(span_of(data, size));
    struct sample s;
    sample_init(&s, &c);
    struct json j;
    json_init(&j);
    event_json(&j, &s.head);
    bool fine = json_check(j.data, j.size);
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
