// SPDX-License-Identifier: Apache-2.0
#include "proto/cassandra/cassandra_record.h"

#include "base/address.h"
#include "base/cursor.h"
#include "base/writer.h"
#include "proto/proto_draft.h"

enum {
    TEXTS_MAX = 48 << 10,
    TEXTS_MIN = 4 << 10,
    COLUMNS_MAX = 4096,
    STATEMENTS_MAX = 1000,
    UUID_SIZE = 16,
    /* kinds of results (native_protocol_v4.spec §4.2.5) */
    KIND_VOID = 1,
    KIND_ROWS = 2,
    KIND_SET_KEYSPACE = 3,
    KIND_PREPARED = 4,
    KIND_SCHEMA_CHANGE = 5,
    /* flags of their metadata */
    ROWS_GLOBAL = 1,
    ROWS_MORE = 2,
    ROWS_NO_METADATA = 4,
    ROWS_CHANGED = 8,
};

struct draft {
    struct cassandra_record *record;
    struct writer out;
    struct cursor in;
    uint8_t version;
    enum proto_cut cut; /* why the body ends where it does */
};

/* ---- Fields --------------------------------------------------------------------------------- */

/* What was written since `from` is the field's, unless what was read was not there. */
static void set_field(struct draft *d, unsigned field, const uint8_t *from)
{
    struct cassandra_record *r = d->record;
    if (field == CASSANDRA_NO_FIELD || d->in.bad) {
        d->out.at -= d->out.at - from;
        return;
    }
    r->text[field].at = (uint32_t)(from - r->bytes_of_texts);
    r->text[field].size = (uint32_t)(d->out.at - from);
    r->has[field / 64] |= UINT64_C(1) << field % 64;
}

static void set_text(struct draft *d, unsigned field, struct span text)
{
    const uint8_t *from = d->out.at;
    writer_span(&d->out, text);
    d->out.full = false; /* a text may be cut */
    set_field(d, field, from);
}

static void set_number(struct draft *d, unsigned field, int64_t value)
{
    const uint8_t *from = d->out.at;
    writer_i64(&d->out, value);
    if (!d->out.full) {
        set_field(d, field, from);
    }
}

static void set_hex(struct draft *d, unsigned field, struct span bytes, bool upper)
{
    const uint8_t *from = d->out.at;
    writer_hex(&d->out, bytes, upper);
    d->out.full = false;
    set_field(d, field, from);
}

static struct span read_text(struct draft *d)
{
    return cursor_take(&d->in, cursor_be16(&d->in));
}

/* [bytes] or [value]: a negative length is none. */
static struct span read_bytes(struct draft *d)
{
    int32_t size = (int32_t)cursor_be32(&d->in);
    return cursor_take(&d->in, size > 0 ? (size_t)size : 0);
}

static int32_t read_int(struct draft *d)
{
    return (int32_t)cursor_be32(&d->in);
}

/* A list of texts as JSON. */
static void write_list(struct draft *d)
{
    unsigned count = cursor_be16(&d->in);
    writer_byte(&d->out, '[');
    for (unsigned i = 0; i < count && !d->in.bad && !d->out.full; i++) {
        writer_text(&d->out, i > 0 ? "," : "");
        writer_json(&d->out, read_text(d));
    }
    writer_byte(&d->out, ']');
}

static void set_json(struct draft *d, unsigned field, uint8_t *from)
{
    if (d->out.full) { /* half a list is none */
        d->out.at = from;
        d->out.full = false;
        return;
    }
    set_field(d, field, from);
}

static void set_list(struct draft *d, unsigned field)
{
    uint8_t *from = d->out.at;
    write_list(d);
    set_json(d, field, from);
}

/* ---- Requests ------------------------------------------------------------------------------- */

static void pass_values(struct draft *d)
{
    unsigned count = cursor_be16(&d->in);
    for (unsigned i = 0; i < count && !d->in.bad; i++) {
        (void)read_bytes(d);
    }
}

/* A statement was written; what there was no room for, or what was not there, is missing. */
static void note_cut(struct draft *d, bool is_missing)
{
    d->record->cut = (uint8_t)(d->out.full ? PROTO_CUT_SHORT : is_missing ? d->cut : PROTO_CUT_NOT);
}

/* The statements of a batch, those that are not prepared. */
static void read_batch(struct draft *d)
{
    const uint8_t *from = d->out.at;
    cursor_skip(&d->in, 1);
    unsigned count = cursor_be16(&d->in);
    for (unsigned i = 0; i < count && i < STATEMENTS_MAX && !d->in.bad; i++) {
        bool is_prepared = cursor_u8(&d->in) == 1;
        struct span statement = is_prepared ? read_text(d) : read_bytes(d);
        if (!is_prepared) {
            writer_text(&d->out, d->out.at > from ? "; " : "");
            writer_span(&d->out, statement);
        }
        pass_values(d);
    }
    bool any = d->out.at > from;
    note_cut(d, d->in.bad);
    d->out.full = false;
    d->in.bad = false;
    set_field(d, any ? (unsigned)CASSANDRA_ASKED_QUERY : CASSANDRA_NO_FIELD, from);
}

/* A body that is longer than what is read of it has its statement cut. */
static void read_query(struct draft *d)
{
    size_t size = cursor_be32(&d->in);
    size_t there = cursor_left(&d->in);
    const uint8_t *from = d->out.at;
    writer_span(&d->out, cursor_take(&d->in, size < there ? size : there));
    note_cut(d, size > there);
    d->out.full = false;
    set_field(d, CASSANDRA_ASKED_QUERY, from);
}

static void read_request(struct draft *d)
{
    if (d->record->header.flags & CASSANDRA_PAYLOAD) {
        unsigned count = cursor_be16(&d->in);
        for (unsigned i = 0; i < count && !d->in.bad; i++) {
            (void)read_text(d);
            (void)read_bytes(d);
        }
    }
    switch (d->record->header.op) {
    case CASSANDRA_QUERY:
    case CASSANDRA_PREPARE:
        read_query(d);
        break;
    case CASSANDRA_BATCH:
        read_batch(d);
        break;
    default:
        break;
    }
}

/* ---- Results -------------------------------------------------------------------------------- */

/* The flags that are set, by their names. */
static void set_flags(struct draft *d, unsigned field, unsigned flags, const char *const *names)
{
    const uint8_t *from = d->out.at;
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (flags >> i & 1) {
            writer_text(&d->out, d->out.at > from ? "|" : "");
            writer_text(&d->out, names[i]);
        }
    }
    if (d->out.at == from) {
        writer_text(&d->out, "Default");
    }
    set_field(d, field, from);
}

/* A column's type (§4.2.5.2): collections, tuples and user types hold others. Their count is what is
 * left to read. */
static void pass_type(struct draft *d)
{
    unsigned left = 1;
    for (unsigned step = 0; left > 0 && !d->in.bad && step < COLUMNS_MAX; step++, left--) {
        switch (cursor_be16(&d->in)) {
        case 0x00: /* custom */
            (void)read_text(d);
            break;
        case 0x20: /* list */
        case 0x22: /* set */
            left += 1;
            break;
        case 0x21: /* map */
            left += 2;
            break;
        case 0x31: /* tuple */
            left += cursor_be16(&d->in);
            break;
        case 0x30: /* user type: names stand between types */
            d->in.bad = true;
            break;
        default:
            break;
        }
    }
}

static void pass_columns(struct draft *d, int32_t columns, bool is_global)
{
    for (int32_t i = 0; i < columns && !d->in.bad; i++) {
        if (!is_global) {
            (void)read_text(d);
            (void)read_text(d);
        }
        (void)read_text(d);
        pass_type(d);
    }
}

/* Where the parts of metadata are shown. */
struct places {
    uint8_t columns;
    uint8_t flags;
    uint8_t keyspace;
    uint8_t paging;
    uint8_t table;
};

static void read_keys(struct draft *d)
{
    int32_t count = read_int(d);
    uint8_t *from = d->out.at;
    writer_byte(&d->out, '[');
    for (int32_t i = 0; i < count && !d->in.bad && !d->out.full; i++) {
        writer_text(&d->out, i > 0 ? "," : "");
        writer_u64(&d->out, cursor_be16(&d->in));
    }
    writer_byte(&d->out, ']');
    set_json(d, CASSANDRA_PREPARED_REQ_META_PKEY_COLUMNS, from);
}

static void read_metadata(struct draft *d, const struct places *to, bool has_keys)
{
    static const char *const names[] = {"GlobalTableSpec", "HasMorePages", "NoMetaData",
                                        "MetaDataChanged", NULL};
    unsigned flags = (unsigned)read_int(d);
    set_flags(d, to->flags, flags, names);
    int32_t columns = read_int(d);
    set_number(d, to->columns, columns);
    if (has_keys && d->version >= 4) {
        read_keys(d);
    }
    if (flags & ROWS_MORE) {
        set_hex(d, to->paging, read_bytes(d), true);
    }
    if (flags & ROWS_CHANGED && d->version >= 5) {
        (void)read_text(d);
    }
    if (flags & ROWS_NO_METADATA) {
        return;
    }
    if (flags & ROWS_GLOBAL) {
        set_text(d, to->keyspace, read_text(d));
        set_text(d, to->table, read_text(d));
    }
    pass_columns(d, columns, flags & ROWS_GLOBAL);
}

static void read_rows(struct draft *d)
{
    static const struct places places = {
        CASSANDRA_ROWS_META_COL_COUNT, CASSANDRA_ROWS_META_FLAGS, CASSANDRA_ROWS_META_KEYSPACE,
        CASSANDRA_ROWS_META_PAGING_STATE, CASSANDRA_ROWS_META_TABLE};
    read_metadata(d, &places, false);
    set_number(d, CASSANDRA_ROWS_NUM_ROWS, read_int(d));
}

static void read_prepared(struct draft *d)
{
    static const struct places asked = {
        CASSANDRA_PREPARED_REQ_META_COL_COUNT, CASSANDRA_PREPARED_REQ_META_FLAGS,
        CASSANDRA_PREPARED_REQ_META_KEYSPACE, CASSANDRA_PREPARED_REQ_META_PAGING_STATE,
        CASSANDRA_PREPARED_REQ_META_TABLE};
    static const struct places answered = {
        CASSANDRA_PREPARED_RESP_META_COL_COUNT, CASSANDRA_PREPARED_RESP_META_FLAGS,
        CASSANDRA_PREPARED_RESP_META_KEYSPACE, CASSANDRA_PREPARED_RESP_META_PAGING_STATE,
        CASSANDRA_PREPARED_RESP_META_TABLE};
    set_hex(d, CASSANDRA_PREPARED_PREPARED_ID, read_text(d), false);
    if (d->version >= 5) {
        (void)read_text(d); /* the number of the result's metadata */
    }
    read_metadata(d, &asked, true);
    read_metadata(d, &answered, false);
}

/* What changed (§4.2.5.5); `first` is the first of its seven fields. */
static void read_change(struct draft *d, unsigned first)
{
    enum { ARGS, CHANGE, KEYSPACE, NAME, OBJECT, TABLE, TARGET };
    set_text(d, first + CHANGE, read_text(d));
    struct span target = read_text(d);
    set_text(d, first + TARGET, target);
    set_text(d, first + KEYSPACE, read_text(d));
    if (span_equal(target, span_str("TABLE")) || span_equal(target, span_str("TYPE"))) {
        set_text(d, first + OBJECT, read_text(d));
    } else if (!span_equal(target, span_str("KEYSPACE"))) {
        set_text(d, first + NAME, read_text(d));
        set_list(d, first + ARGS);
    }
}

static void read_result(struct draft *d)
{
    static const char *const kinds[] = {[KIND_VOID] = "void",
                                        [KIND_ROWS] = "rows",
                                        [KIND_SET_KEYSPACE] = "set_keyspace",
                                        [KIND_PREPARED] = "prepared",
                                        [KIND_SCHEMA_CHANGE] = "schemaChanged"};
    uint32_t kind = cursor_be32(&d->in);
    if (kind < KIND_VOID || kind > KIND_SCHEMA_CHANGE) {
        return;
    }
    set_text(d, CASSANDRA_TYPE, span_str(kinds[kind]));
    if (kind == KIND_ROWS) {
        read_rows(d);
    } else if (kind == KIND_SET_KEYSPACE) {
        set_text(d, CASSANDRA_KEYSPACE, read_text(d));
    } else if (kind == KIND_PREPARED) {
        read_prepared(d);
    } else if (kind == KIND_SCHEMA_CHANGE) {
        read_change(d, CASSANDRA_SCHEMA_CHANGE_ARGS);
    }
}

/* ---- Errors --------------------------------------------------------------------------------- */

static const char *error_name(uint32_t code)
{
    static const struct {
        uint16_t code;
        const char *name;
    } names[] = {
        {0x0000, "errServer"},       {0x000a, "errProtocol"},        {0x0100, "errCredentials"},
        {0x1000, "errUnavailable"},  {0x1001, "errOverloaded"},      {0x1002, "errBootstrapping"},
        {0x1003, "errTruncate"},     {0x1100, "errWriteTimeout"},    {0x1200, "errReadTimeout"},
        {0x1300, "errReadFailure"},  {0x1400, "errFunctionFailure"}, {0x1500, "errWriteFailure"},
        {0x1600, "errCDCWrite"},     {0x1700, "errCASWriteUnknown"}, {0x2000, "errSyntax"},
        {0x2100, "errUnauthorized"}, {0x2200, "errInvalid"},         {0x2300, "errConfig"},
        {0x2400, "errAlreadyExists"}, {0x2500, "errUnprepared"},
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return "ErrUnknown";
}

static void read_consistency(struct draft *d)
{
    static const char *const names[] = {"ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL",
                                        "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL",
                                        "LOCAL_ONE"};
    unsigned level = cursor_be16(&d->in);
    bool is_known = level < sizeof names / sizeof *names;
    set_text(d, CASSANDRA_DETAIL_READ_CONSISTENCY, span_str(is_known ? names[level] : "UNKNOWN"));
}

static void read_number(struct draft *d, unsigned field)
{
    set_number(d, field, read_int(d));
}

/* Timeouts and failures of reads and writes (§9). In version 5 failures come with a list of who
 * failed, as many as their number says. */
static void read_replicas(struct draft *d, bool has_failures, bool is_write)
{
    read_consistency(d);
    read_number(d, CASSANDRA_DETAIL_RECEIVED);
    read_number(d, CASSANDRA_DETAIL_BLOCKFOR);
    if (has_failures) {
        int32_t count = read_int(d);
        set_number(d, CASSANDRA_DETAIL_NUM_FAILURES, count);
        for (int32_t i = 0; d->version >= 5 && i < count && !d->in.bad; i++) {
            cursor_skip(&d->in, cursor_u8(&d->in));
            cursor_skip(&d->in, 2);
        }
    }
    if (is_write) {
        set_text(d, CASSANDRA_DETAIL_WRITE_TYPE, read_text(d));
        return;
    }
    const uint8_t *from = d->out.at;
    writer_text(&d->out, cursor_u8(&d->in) != 0 ? "true" : "false");
    set_field(d, CASSANDRA_DETAIL_DATA_PRESENT, from);
}

static void read_details(struct draft *d, uint32_t code)
{
    switch (code) {
    case 0x1000:
        read_consistency(d);
        read_number(d, CASSANDRA_DETAIL_REQUIRED);
        read_number(d, CASSANDRA_DETAIL_ALIVE);
        break;
    case 0x1100:
    case 0x1200:
        read_replicas(d, false, code == 0x1100);
        break;
    case 0x1300:
    case 0x1500:
        read_replicas(d, true, code == 0x1500);
        break;
    case 0x1400:
        set_text(d, CASSANDRA_DETAIL_KEYSPACE, read_text(d));
        set_text(d, CASSANDRA_DETAIL_FUNCTION, read_text(d));
        set_list(d, CASSANDRA_DETAIL_ARG_TYPES);
        break;
    case 0x2400:
        set_text(d, CASSANDRA_DETAIL_KEYSPACE, read_text(d));
        set_text(d, CASSANDRA_DETAIL_TABLE, read_text(d));
        break;
    case 0x2500:
        set_hex(d, CASSANDRA_DETAIL_STMT_ID, read_text(d), false);
        break;
    default:
        break;
    }
}

static void read_error(struct draft *d)
{
    uint32_t code = cursor_be32(&d->in);
    set_number(d, CASSANDRA_ERROR_CODE, code);
    set_text(d, CASSANDRA_ERROR_TYPE, span_str(error_name(code)));
    set_text(d, CASSANDRA_ERROR_MSG, read_text(d));
    read_details(d, code);
}

/* ---- Other responses ------------------------------------------------------------------------ */

static void read_supported(struct draft *d)
{
    uint8_t *from = d->out.at;
    unsigned count = cursor_be16(&d->in);
    writer_byte(&d->out, '{');
    for (unsigned i = 0; i < count && !d->in.bad && !d->out.full; i++) {
        writer_text(&d->out, i > 0 ? "," : "");
        writer_json(&d->out, read_text(d));
        writer_byte(&d->out, ':');
        write_list(d);
    }
    writer_byte(&d->out, '}');
    set_json(d, CASSANDRA_CAN_DO, from);
}

static void read_event(struct draft *d)
{
    char text[ADDRESS_ROOM];
    struct span type = read_text(d);
    set_text(d, CASSANDRA_EVENT_TYPE, type);
    if (span_equal(type, span_str("SCHEMA_CHANGE"))) {
        read_change(d, CASSANDRA_EVENT_SCHEMA_CHANGE_ARGS);
        return;
    }
    set_text(d, CASSANDRA_EVENT_CHANGE, read_text(d));
    struct span address = cursor_take(&d->in, cursor_u8(&d->in));
    if (address.size == 4 || address.size == 16) {
        char *end = address_write(text, address.size == 4 ? 4 : 6, address.data);
        set_text(d, CASSANDRA_EVENT_HOST, span_of(text, (size_t)(end - text)));
        read_number(d, CASSANDRA_EVENT_PORT);
    }
}

static void read_trace(struct draft *d)
{
    struct span id = cursor_take(&d->in, UUID_SIZE);
    const uint8_t *from = d->out.at;
    for (unsigned i = 0; i < id.size; i++) {
        writer_text(&d->out, i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "");
        writer_hex(&d->out, span_of(id.data + i, 1), false);
    }
    set_field(d, CASSANDRA_TRACE_ID, from);
}

static void read_response(struct draft *d)
{
    uint8_t flags = d->record->header.flags;
    if (flags & CASSANDRA_TRACING) {
        read_trace(d);
    }
    if (flags & CASSANDRA_WARNING) {
        set_list(d, CASSANDRA_WARNINGS);
    }
    if (flags & CASSANDRA_PAYLOAD) {
        unsigned count = cursor_be16(&d->in);
        for (unsigned i = 0; i < count && !d->in.bad; i++) {
            (void)read_text(d);
            (void)read_bytes(d);
        }
    }
    switch (d->record->header.op) {
    case CASSANDRA_ERROR:
        read_error(d);
        break;
    case CASSANDRA_RESULT:
        read_result(d);
        break;
    case CASSANDRA_SUPPORTED:
        read_supported(d);
        break;
    case CASSANDRA_AUTHENTICATE:
        set_text(d, CASSANDRA_AUTHENTICATION_CLASS, read_text(d));
        break;
    case CASSANDRA_EVENT:
        read_event(d);
        break;
    default:
        break;
    }
}

/* ---- The record ----------------------------------------------------------------------------- */

/* `first` is the first of the five fields of a header. */
static void set_header(struct draft *d, unsigned first)
{
    static const char *const names[] = {"Compress", "Tracing", "CustomPayload", "Warning", "Beta",
                                        NULL};
    const struct cassandra_header *h = &d->record->header;
    set_flags(d, first, h->flags, names);
    set_number(d, first + 1, h->size);
    set_text(d, first + 2, span_str(cassandra_op_name(h->op)));
    set_number(d, first + 3, h->stream);
    uint8_t version = (uint8_t)('0' + h->version);
    set_text(d, first + 4, span_of(&version, 1));
}

struct cassandra_record *cassandra_record_new(const struct proto_context *c,
                                              struct cassandra_header header, struct span body,
                                              enum proto_cut cut)
{
    const struct cassandra_options *options = cassandra_options_of(c);
    size_t room = TEXTS_MIN + (header.is_response ? body.size / 4 : body.size);
    room = room < TEXTS_MAX || !header.is_response ? room : TEXTS_MAX;
    struct cassandra_record *r = draft_take(c->memory, sizeof *r, &room, TEXTS_MAX);
    if (r == NULL) {
        return NULL;
    }
    *r = (struct cassandra_record){.header = header};
    struct draft d = {.record = r, .in = cursor_of(body), .version = header.version, .cut = cut};
    d.out = writer_of(r->bytes_of_texts, room);
    if (header.is_response ? options->response_header : options->request_header) {
        unsigned first = header.is_response ? CASSANDRA_SAID_FLAGS : CASSANDRA_ASKED_FLAGS;
        set_header(&d, first);
    }
    if (header.is_response) {
        read_response(&d);
    } else {
        read_request(&d);
    }
    r->link.weight = r->size = (uint32_t)(d.out.at - r->bytes_of_texts);
    return draft_fit(c->memory, r, sizeof *r + r->size);
}
