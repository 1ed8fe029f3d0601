// SPDX-License-Identifier: Apache-2.0
#include "handler/handler.h"

#include "base/address.h"
#include "summary/cardinality.h"
#include "summary/rate.h"
#include "summary/topn.h"

const struct handler *handler_find(const char *type, const char *version)
{
    for (const struct handler *const *h = handlers; *h != NULL; h++) {
        if (strcmp((*h)->type, type) == 0 && strcmp((*h)->version, version) == 0) {
            return *h;
        }
    }
    return NULL;
}

uint32_t handler_group_count(const struct handler *handler)
{
    uint32_t count = 0;
    while (handler->groups != NULL && handler->groups[count].name != NULL) {
        count++;
    }
    return count;
}

/* ---- Events --------------------------------------------------------------------------------- */

bool handler_reads(const struct handler_reader *reader, const struct handler_event *event)
{
    if (event->packet == NULL) {
        return event->payload.size > 0; /* who made the event knew what it is */
    }
    uint64_t bits = HANDLER_PORT_BIT(event->port[0]) | HANDLER_PORT_BIT(event->port[1]);
    if ((bits & reader->port_bits) == 0) {
        return false;
    }
    for (const uint16_t *port = reader->ports; *port != 0; port++) {
        if (event->port[0] == *port || event->port[1] == *port) {
            return true;
        }
    }
    return false;
}

const void *handler_message(const struct handler_reader *reader, struct handler_event *event)
{
    struct handler_message *m = event->message;
    if (m->reader != reader) {
        m->reader = reader;
        m->is_there = reader->read(event->payload, m->memory);
    }
    return m->is_there ? m->memory : NULL;
}

/* SplitMix64 (Steele et al., 2014): the same share of events in every run of the same capture. */
bool handler_is_deep(struct handler_run *run)
{
    uint32_t rate = handler_settings(run)->deep_sample_rate;
    if (rate >= 100) {
        return true;
    }
    uint64_t z = run->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % 100 < rate;
}

void handler_goes_on(struct handler_run *run, uint64_t now_ns)
{
    (void)run;
    (void)now_ns;
}

void handler_close_second(const struct handler *handler, struct handler_run *run)
{
    unsigned rate = 0;
    for (const struct metric *m = handler->set->metrics; m->name != NULL; m++) {
        if (m->kind == METRIC_RATE) {
            rate_add((struct rate *)((uint8_t *)run->block + m->offset),
                     run->second * UINT64_C(1000000000), run->sums[rate]);
            run->sums[rate++] = 0;
        }
    }
}

/* ---- Names ---------------------------------------------------------------------------------- */

uint32_t handler_text_coupon(struct span text)
{
    return cardinality_coupon(murmur3(text.data, text.size, MURMUR3_SEED));
}

uint32_t handler_make_coupon(struct handler_event *event, unsigned end)
{
    char text[ADDRESS_ROOM];
    char *stop = address_write(text, event->version, event->address[end]);
    event->coupon[end] = handler_text_coupon(span_of(text, (size_t)(stop - text)));
    return event->coupon[end];
}

void handler_add_name(struct topn *top, struct span name, uint64_t weight)
{
    topn_add_text(top, name, weight);
}

void handler_add_place(struct topn *top, const struct geo_place *place, uint64_t weight)
{
    char key[METRIC_PLACE] = {0};
    memcpy(key, place->name, strnlen(place->name, METRIC_PLACE_NAME));
    char *at = key + METRIC_PLACE_NAME;
    memcpy(at, place->latitude, strnlen(place->latitude, METRIC_PLACE_COORDINATE));
    at += METRIC_PLACE_COORDINATE;
    memcpy(at, place->longitude, strnlen(place->longitude, METRIC_PLACE_COORDINATE));
    topn_add(top, key, weight, NULL);
}

/* ---- Settings ------------------------------------------------------------------------------- */

bool handler_flag(const struct handler_options *options, const char *name)
{
    const struct tree *value = tree_get(options->map, name);
    return value != NULL && value->kind == TREE_FLAG && value->flag;
}

uint64_t handler_number(const struct handler_options *options, const char *name,
                        uint64_t fallback)
{
    const struct tree *value = tree_get(options->map, name);
    return value != NULL && value->kind == TREE_NUMBER ? value->number : fallback;
}

uint64_t handler_patience(const struct handler_options *options, uint64_t fallback_ns)
{
    uint64_t ms = handler_number(options, "xact_ttl_secs", 0) * 1000;
    ms = handler_number(options, "xact_ttl_ms", ms);
    return ms > 0 ? ms * UINT64_C(1000000) : fallback_ns;
}

static const char *lower(const struct handler_options *options, const char *text)
{
    char *copy = tree_take(options->memory, strlen(text) + 1);
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool is_upper = text[i] >= 'A' && text[i] <= 'Z';
        copy[i] = (char)(is_upper ? text[i] - 'A' + 'a' : text[i]);
    }
    return copy;
}

struct handler_words handler_list(const struct handler_options *options, const char *name)
{
    struct handler_words ret = {0};
    const struct tree *value = tree_get(options->map, name);
    if (value == NULL || value->kind == TREE_MAP) {
        return ret;
    }
    size_t count = value->kind == TREE_LIST ? value->count : 1;
    ret.words = tree_take(options->memory, (count + 1) * sizeof *ret.words);
    ret.written = tree_take(options->memory, (count + 1) * sizeof *ret.written);
    for (size_t i = 0; i < count; i++) {
        const struct tree *item = value->kind == TREE_LIST ? &value->items[i] : value;
        if (item->text != NULL) {
            ret.written[ret.count] = item->text;
            ret.words[ret.count++] = lower(options, item->text);
        }
    }
    return ret;
}
