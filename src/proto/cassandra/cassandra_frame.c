// SPDX-License-Identifier: Apache-2.0
#include "proto/cassandra/cassandra_frame.h"

#include "base/cursor.h"

enum {
    VERSION_MIN = 3,
    VERSION_MAX = 5,
    RESPONSE = 0x80,
    FLAGS_ALL = 0x1f,
    STREAM_AT = 2,
    OP_AT = 4,
    SIZE_AT = 5,
    CRC_SIZE = 3,
    /* CRC-24 of native_protocol_v5.spec §2.2 */
    CRC_START = 0x875060,
    CRC_POLYNOMIAL = 0x1974f0b,
    CRC_TOP = 0x1000000,
};

struct operation {
    const char *name;
    bool is_response;
};

static const struct operation ops[CASSANDRA_OPS] = {
    [CASSANDRA_ERROR] = {"ERROR", true},
    [CASSANDRA_STARTUP] = {"STARTUP", false},
    [CASSANDRA_READY] = {"READY", true},
    [CASSANDRA_AUTHENTICATE] = {"AUTHENTICATE", true},
    [CASSANDRA_OPTIONS] = {"OPTIONS", false},
    [CASSANDRA_SUPPORTED] = {"SUPPORTED", true},
    [CASSANDRA_QUERY] = {"QUERY", false},
    [CASSANDRA_RESULT] = {"RESULT", true},
    [CASSANDRA_PREPARE] = {"PREPARE", false},
    [CASSANDRA_EXECUTE] = {"EXECUTE", false},
    [CASSANDRA_REGISTER] = {"REGISTER", false},
    [CASSANDRA_EVENT] = {"EVENT", true},
    [CASSANDRA_BATCH] = {"BATCH", false},
    [CASSANDRA_AUTH_CHALLENGE] = {"AUTH_CHALLENGE", true},
    [CASSANDRA_AUTH_RESPONSE] = {"AUTH_RESPONSE", false},
    [CASSANDRA_AUTH_SUCCESS] = {"AUTH_SUCCESS", true},
};

const char *cassandra_op_name(unsigned op)
{
    return op < CASSANDRA_OPS ? ops[op].name : NULL;
}

/* Whether the first bytes may be a header's. */
static bool begins_well(struct span bytes)
{
    uint8_t version = bytes.data[0] & 0x7f;
    if (version < VERSION_MIN || version > VERSION_MAX) {
        return false;
    }
    if (bytes.size > 1 && (bytes.data[1] & ~FLAGS_ALL) != 0) {
        return false;
    }
    if (bytes.size <= OP_AT) {
        return true;
    }
    uint8_t op = bytes.data[OP_AT];
    bool is_response = (bytes.data[0] & RESPONSE) != 0;
    return op < CASSANDRA_OPS && ops[op].name != NULL && ops[op].is_response == is_response;
}

enum proto_guess cassandra_look(struct span bytes, struct cassandra_header *ret)
{
    if (bytes.size == 0) {
        return PROTO_UNSURE;
    }
    if (!begins_well(bytes)) {
        return PROTO_NO;
    }
    if (bytes.size < CASSANDRA_HEADER) {
        return PROTO_UNSURE;
    }
    *ret = (struct cassandra_header){
        .version = bytes.data[0] & 0x7f,
        .is_response = (bytes.data[0] & RESPONSE) != 0,
        .flags = bytes.data[1],
        .stream = (int16_t)load_be16(bytes.data + STREAM_AT),
        .op = bytes.data[OP_AT],
        .size = load_be32(bytes.data + SIZE_AT),
    };
    bool fine = ret->size <= CASSANDRA_BODY_MAX &&
                (ret->stream >= 0 || (ret->stream == CASSANDRA_EVENT_STREAM && ret->is_response)) &&
                (ret->op != CASSANDRA_OPTIONS || ret->size <= 1);
    return fine ? PROTO_YES : PROTO_NO;
}

/* ---- Version 5 ------------------------------------------------------------------------------ */

static uint32_t crc24(const uint8_t *bytes, size_t size)
{
    uint32_t crc = CRC_START;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)bytes[i] << 16;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc <<= 1;
            crc ^= (crc & CRC_TOP) != 0 ? CRC_POLYNOMIAL : 0;
        }
    }
    return crc;
}

static bool has_crc(struct span bytes, size_t size)
{
    const uint8_t *at = bytes.data + size;
    return crc24(bytes.data, size) == ((uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0]);
}

enum proto_guess cassandra_look_outer(struct span bytes, struct cassandra_outer *ret)
{
    if (bytes.size < CASSANDRA_OUTER_PLAIN) {
        return PROTO_UNSURE;
    }
    uint32_t low = load_le32(bytes.data);
    if (has_crc(bytes, CASSANDRA_OUTER_PLAIN - CRC_SIZE) && (low >> 18 & 0x3f) == 0) {
        *ret = (struct cassandra_outer){
            .size = low & CASSANDRA_OUTER_MAX,
            .header = CASSANDRA_OUTER_PLAIN,
            .is_whole = low >> 17 & 1,
        };
        return PROTO_YES;
    }
    if (bytes.size < CASSANDRA_OUTER_PACKED) {
        return PROTO_UNSURE;
    }
    uint64_t all = low | (uint64_t)bytes.data[4] << 32;
    if (has_crc(bytes, CASSANDRA_OUTER_PACKED - CRC_SIZE) && all >> 35 == 0) {
        *ret = (struct cassandra_outer){
            .size = low & CASSANDRA_OUTER_MAX,
            .unpacked = (uint32_t)(all >> 17) & CASSANDRA_OUTER_MAX,
            .header = CASSANDRA_OUTER_PACKED,
            .is_whole = all >> 34 & 1,
        };
        return PROTO_YES;
    }
    return PROTO_NO;
}

enum cassandra_packing cassandra_packing_of(struct span body)
{
    struct cursor c = cursor_of(body);
    unsigned count = cursor_be16(&c);
    for (unsigned i = 0; i < count && !c.bad; i++) {
        struct span name = cursor_take(&c, cursor_be16(&c));
        struct span value = cursor_take(&c, cursor_be16(&c));
        if (span_equal(name, span_str("COMPRESSION"))) {
            return span_equal(value, span_str("snappy")) ? CASSANDRA_SNAPPY
                   : span_equal(value, span_str("lz4"))  ? CASSANDRA_LZ4
                                                         : CASSANDRA_UNKNOWN;
        }
    }
    return CASSANDRA_UNKNOWN;
}
