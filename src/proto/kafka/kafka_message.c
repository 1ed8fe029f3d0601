// SPDX-License-Identifier: Apache-2.0
#include "proto/kafka/kafka_message.h"

enum {
    VERSION_MAX = 20,
    CLIENT_MAX = 249,
    REQUEST_MIN = 8,
    NAMELESS_MAX = 1 << 20,
    NAMELESS_WAITS = 512, /* bytes by which a first topic is told */
    UUID = 16,
    COMPRESSION = 7,
    BATCH_ATTRIBUTES = 21, /* in a record batch: magic is at 16, records at 57 */
    BATCH_MAGIC = 16,
    BATCH_COUNT = 57,
    BATCH_HEADER = 61,
    BATCHES_MAX = 4096,    /* of one field, that are counted */
};

/* ---- Types ------------------------------------------------------------------------------------- */

/* A reader that knows whether the version has compact types. */
struct reader {
    struct cursor c;
    bool flexible;
};

/* Base 128, the lowest first, at most 5 bytes. */
static uint32_t varint(struct reader *r)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = cursor_u8(&r->c);
        value |= (uint32_t)(byte & 127) << shift;
        if (!(byte & 128)) {
            return value;
        }
    }
    r->c.bad = true;
    return 0;
}

static struct span string(struct reader *r)
{
    if (r->flexible) {
        uint32_t size = varint(r);
        return size > 0 ? cursor_take(&r->c, size - 1) : span_of(r->c.at, 0);
    }
    int16_t size = (int16_t)cursor_be16(&r->c);
    return size > 0 ? cursor_take(&r->c, (size_t)size) : span_of(r->c.at, 0);
}

/* How many elements an array has; none when it is null. */
static uint32_t array(struct reader *r)
{
    uint32_t count = r->flexible ? varint(r) : cursor_be32(&r->c);
    if (r->flexible) {
        return count > 0 ? count - 1 : 0;
    }
    return count <= INT32_MAX ? count : 0;
}

static void skip_tags(struct reader *r)
{
    if (!r->flexible) {
        return;
    }
    for (uint32_t count = varint(r); count > 0 && !r->c.bad; count--) {
        (void)varint(r);
        cursor_skip(&r->c, varint(r));
    }
}

/* An array of things of that size. */
static void skip_array(struct reader *r, size_t size)
{
    uint32_t count = array(r);
    cursor_skip(&r->c, count * size);
}

/* ---- Records ----------------------------------------------------------------------------------- */

/* Batches one behind the other (of the message format 2; older ones count a message each). The size of
 * the field is told before it, so that it is known though the bytes end early. */
static void count_records(struct reader *r, struct kafka_records *all)
{
    int64_t size = r->flexible ? (int64_t)varint(r) - 1 : (int32_t)cursor_be32(&r->c);
    if (r->c.bad || size <= 0) {
        return;
    }
    all->bytes += (uint64_t)size;
    size_t here = (uint64_t)size < cursor_left(&r->c) ? (size_t)size : cursor_left(&r->c);
    struct span rest = span_of(r->c.at, here);
    for (unsigned i = 0; i < BATCHES_MAX && rest.size > BATCH_ATTRIBUTES + 2; i++) {
        uint32_t length = load_be32(rest.data + 8);
        bool is_batch = rest.data[BATCH_MAGIC] == 2;
        if (length > INT32_MAX || (is_batch && rest.size < BATCH_HEADER)) {
            break;
        }
        unsigned attributes = is_batch ? rest.data[BATCH_ATTRIBUTES + 1] : rest.data[BATCH_MAGIC + 1];
        all->compression = all->batches == 0 ? attributes & COMPRESSION : all->compression;
        all->batches++;
        all->records += is_batch ? load_be32(rest.data + BATCH_COUNT) & INT32_MAX : 1;
        rest = span_skip(rest, (size_t)12 + length);
    }
    cursor_skip(&r->c, (size_t)size);
}

/* ---- Requests ---------------------------------------------------------------------------------- */

static void add_topic(struct kafka_head *head, struct span name)
{
    if (head->topic_count < KAFKA_TOPICS_MAX && name.size > 0) {
        head->topics[head->topic_count++] = name;
    }
}

static void read_produce(struct reader *r, struct kafka_head *head)
{
    if (head->version >= 3) {
        (void)string(r); /* transactional_id */
    }
    head->acks = (int16_t)cursor_be16(&r->c);
    cursor_skip(&r->c, 4);
    for (uint32_t topics = array(r); topics > 0 && !r->c.bad; topics--) {
        add_topic(head, head->version >= 13 ? span_head(cursor_take(&r->c, UUID), 0) : string(r));
        for (uint32_t partitions = array(r); partitions > 0 && !r->c.bad; partitions--) {
            head->partitions++;
            cursor_skip(&r->c, 4);
            count_records(r, &head->records);
            skip_tags(r);
        }
        skip_tags(r);
    }
}

static void read_fetch(struct reader *r, struct kafka_head *head)
{
    unsigned v = head->version;
    size_t before = (v <= 14 ? 4U : 0U) + 8 + (v >= 3 ? 4U : 0U) + (v >= 4 ? 1U : 0U) + (v >= 7 ? 8U : 0U);
    size_t partition = 16U + (v >= 5 ? 8U : 0U) + (v >= 9 ? 4U : 0U) + (v >= 12 ? 4U : 0U);
    cursor_skip(&r->c, before);
    for (uint32_t topics = array(r); topics > 0 && !r->c.bad; topics--) {
        add_topic(head, v >= 13 ? span_head(cursor_take(&r->c, UUID), 0) : string(r));
        for (uint32_t partitions = array(r); partitions > 0 && !r->c.bad; partitions--) {
            head->partitions++;
            cursor_skip(&r->c, partition);
            skip_tags(r);
        }
        skip_tags(r);
    }
}

static void read_offsets(struct reader *r, struct kafka_head *head)
{
    unsigned v = head->version;
    size_t partition = 12U + (v == 0 ? 4U : 0U) + (v >= 4 ? 4U : 0U);
    cursor_skip(&r->c, 4U + (v >= 2 ? 1U : 0U));
    for (uint32_t topics = array(r); topics > 0 && !r->c.bad; topics--) {
        add_topic(head, string(r));
        for (uint32_t partitions = array(r); partitions > 0 && !r->c.bad; partitions--) {
            head->partitions++;
            cursor_skip(&r->c, partition);
            skip_tags(r);
        }
        skip_tags(r);
    }
}

static void read_metadata(struct reader *r, struct kafka_head *head)
{
    for (uint32_t topics = array(r); topics > 0 && !r->c.bad; topics--) {
        cursor_skip(&r->c, head->version >= 10 ? UUID : 0);
        add_topic(head, string(r));
        skip_tags(r);
    }
}

static void read_body(struct reader *r, struct kafka_head *head, const struct kafka_api *api)
{
    switch (head->key) {
    case KAFKA_PRODUCE:
        read_produce(r, head);
        break;
    case KAFKA_FETCH:
        read_fetch(r, head);
        break;
    case KAFKA_LIST_OFFSETS:
        read_offsets(r, head);
        break;
    case KAFKA_METADATA:
        read_metadata(r, head);
        break;
    default:
        if (api->groups) {
            head->group = string(r);
        }
        break;
    }
}

static bool is_printable(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

bool kafka_request_read(struct span bytes, struct kafka_head *ret)
{
    struct reader r = {.c = cursor_of(bytes)};
    *ret = (struct kafka_head){.acks = 1};
    ret->key = cursor_be16(&r.c);
    ret->version = cursor_be16(&r.c);
    ret->correlation = cursor_be32(&r.c);
    const struct kafka_api *api = kafka_api_of(ret->key);
    if (r.c.bad || api == NULL || ret->version > VERSION_MAX) {
        return false;
    }
    ret->client = string(&r); /* never compact */
    if (r.c.bad || !is_printable(ret->client)) {
        return false;
    }
    r.flexible = api->flexible >= 0 && ret->version >= api->flexible;
    skip_tags(&r);
    read_body(&r, ret, api);
    ret->is_whole = !r.c.bad;
    return true;
}

/* ---- Responses --------------------------------------------------------------------------------- */

static void note_error(struct kafka_answer *answer, struct reader *r)
{
    int code = (int16_t)cursor_be16(&r->c);
    if (answer->error == 0 && !r->c.bad) {
        answer->error = code;
    }
}

static void read_produced(struct reader *r, unsigned v, struct kafka_answer *answer)
{
    for (uint32_t topics = array(r); topics > 0 && !r->c.bad; topics--) {
        (void)(v >= 13 ? cursor_take(&r->c, UUID) : string(r));
        answer->topics++;
        for (uint32_t partitions = array(r); partitions > 0 && !r->c.bad; partitions--) {
            cursor_skip(&r->c, 4);
            note_error(answer, r);
            cursor_skip(&r->c, 8U + (v >= 2 ? 8U : 0U) + (v >= 5 ? 8U : 0U));
            for (uint32_t errors = v >= 8 ? array(r) : 0; errors > 0 && !r->c.bad; errors--) {
                cursor_skip(&r->c, 4);
                (void)string(r);
                skip_tags(r);
            }
            if (v >= 8) {
                (void)string(r);
            }
            skip_tags(r);
        }
        skip_tags(r);
    }
}

static void skip_aborted(struct reader *r)
{
    for (uint32_t count = array(r); count > 0 && !r->c.bad; count--) {
        cursor_skip(&r->c, 16);
        skip_tags(r);
    }
}

static void read_fetched(struct reader *r, unsigned v, struct kafka_answer *answer)
{
    if (v >= 7) {
        note_error(answer, r);
        cursor_skip(&r->c, 4);
    }
    for (uint32_t topics = array(r); topics > 0 && !r->c.bad; topics--) {
        (void)(v >= 13 ? cursor_take(&r->c, UUID) : string(r));
        answer->topics++;
        for (uint32_t partitions = array(r); partitions > 0 && !r->c.bad; partitions--) {
            cursor_skip(&r->c, 4);
            note_error(answer, r);
            cursor_skip(&r->c, 8U + (v >= 4 ? 8U : 0U) + (v >= 5 ? 8U : 0U));
            if (v >= 4) {
                skip_aborted(r);
            }
            cursor_skip(&r->c, v >= 11 ? 4 : 0);
            count_records(r, &answer->records);
            skip_tags(r);
        }
        skip_tags(r);
    }
}

static void read_described_partitions(struct reader *r, unsigned v, struct kafka_answer *answer)
{
    for (uint32_t partitions = array(r); partitions > 0 && !r->c.bad; partitions--) {
        note_error(answer, r);
        cursor_skip(&r->c, 8U + (v >= 7 ? 4U : 0U));
        skip_array(r, 4);
        skip_array(r, 4);
        if (v >= 5) {
            skip_array(r, 4);
        }
        skip_tags(r);
    }
}

static void read_described(struct reader *r, unsigned v, struct kafka_answer *answer)
{
    for (uint32_t brokers = array(r); brokers > 0 && !r->c.bad; brokers--) {
        cursor_skip(&r->c, 4);
        (void)string(r);
        cursor_skip(&r->c, 4);
        if (v >= 1) {
            (void)string(r);
        }
        skip_tags(r);
    }
    if (v >= 2) {
        (void)string(r);
    }
    cursor_skip(&r->c, v >= 1 ? 4 : 0);
    for (uint32_t topics = array(r); topics > 0 && !r->c.bad; topics--) {
        note_error(answer, r);
        (void)string(r);
        cursor_skip(&r->c, (v >= 10 ? (size_t)UUID : 0U) + (v >= 1 ? 1U : 0U));
        answer->topics++;
        read_described_partitions(r, v, answer);
        cursor_skip(&r->c, v >= 8 ? 4 : 0);
        skip_tags(r);
    }
}

void kafka_response_read(struct span bytes, unsigned key, unsigned version, struct kafka_answer *ret)
{
    struct reader r = {.c = cursor_of(bytes)};
    const struct kafka_api *api = kafka_api_of(key);
    *ret = (struct kafka_answer){0};
    if (api == NULL) {
        return;
    }
    bool flexible = api->flexible >= 0 && version >= (unsigned)api->flexible;
    r.flexible = flexible && key != KAFKA_API_VERSIONS; /* whose header never has tags (KIP-511) */
    skip_tags(&r);
    r.flexible = flexible;
    cursor_skip(&r.c, api->throttled >= 0 && version >= (unsigned)api->throttled ? 4 : 0);
    if (key == KAFKA_PRODUCE) {
        read_produced(&r, version, ret);
    } else if (key == KAFKA_FETCH) {
        read_fetched(&r, version, ret);
    } else if (key == KAFKA_METADATA) {
        read_described(&r, version, ret);
    } else if (api->tells) {
        note_error(ret, &r);
    }
    ret->is_whole = !r.c.bad;
}

/* ---- Whether it is Kafka ----------------------------------------------------------------------- */

/* A request of a client without a name, of which `bytes` are there: much that is no Kafka has zeroes
 * where its head has them, so that what it says has to fit as well. As many bytes as that takes are
 * waited for and no more are looked at, so that the answer does not depend on how they come. */
static int looks_like_nameless(struct span bytes, uint32_t size)
{
    size_t enough = size < NAMELESS_WAITS ? size : NAMELESS_WAITS;
    if (size > NAMELESS_MAX || bytes.size < enough) {
        return size > NAMELESS_MAX ? 0 : -1;
    }
    struct kafka_head head;
    if (!kafka_request_read(span_head(bytes, enough), &head) || head.acks < -1 || head.acks > 1) {
        return 0;
    }
    for (uint32_t i = 0; i < head.topic_count; i++) {
        if (!is_printable(head.topics[i])) {
            return 0;
        }
    }
    bool tells_topics = head.key <= KAFKA_METADATA;
    return enough == size ? head.is_whole : head.topic_count > 0 || !tells_topics;
}

int kafka_looks_like(struct span data)
{
    struct cursor c = cursor_of(data);
    uint32_t size = cursor_be32(&c);
    if (c.bad) {
        return data.size == 0 || data.data[0] < 8 ? -1 : 0;
    }
    if (size < REQUEST_MIN + 2 || size > KAFKA_MESSAGE_MAX) {
        return 0;
    }
    unsigned key = cursor_be16(&c);
    unsigned version = cursor_be16(&c);
    if (!c.bad && (kafka_api_of(key) == NULL || version > VERSION_MAX)) {
        return 0;
    }
    cursor_skip(&c, 4);
    int16_t client = (int16_t)cursor_be16(&c);
    if (c.bad) {
        return -1;
    }
    if (client < -1 || client > CLIENT_MAX || (uint32_t)(client + 1) + REQUEST_MIN > size) {
        return 0;
    }
    struct span name = span_head(span_of(c.at, cursor_left(&c)), client > 0 ? (size_t)client : 0);
    if (!is_printable(name)) {
        return 0;
    }
    if (client <= 0) {
        return looks_like_nameless(span_skip(data, 4), size);
    }
    return name.size == (size_t)client ? 1 : -1;
}
