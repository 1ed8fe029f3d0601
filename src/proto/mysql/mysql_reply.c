// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_reply.h"

#include "proto/mysql/mysql_rows.h"

enum {
    FIRST_OK = 0x00,
    FIRST_EOF = 0xfe,
    FIRST_ERROR = 0xff,
    EOF_SIZE = 5,
    OK_SIZE_MIN = 7,
    PREPARED_SIZE = 12,
    PROGRESS = 0xffff,        /* an error code that is none: how far MariaDB is */
    STATUS_MORE = 0x0008,     /* SERVER_MORE_RESULTS_EXISTS */
    STATUS_CURSOR = 0x0040,   /* SERVER_STATUS_CURSOR_EXISTS: rows are to be fetched */
};

void mysql_reply_begin(struct mysql_reply *r, struct slab *slab,
                       const struct mysql_options *options, const struct mysql_command *command)
{
    memset(r, 0, offsetof(struct mysql_reply, error));
    r->error_size = 0;
    r->slab = slab;
    r->options = options;
    r->answer = command->answer;
    r->is_binary = command->code == MYSQL_EXECUTE || command->code == MYSQL_FETCH ||
                   command->code == MYSQL_BULK_EXECUTE;
    r->state = command->answer == MYSQL_ANSWERS_ROWS || command->answer == MYSQL_ANSWERS_FIELDS
                   ? MYSQL_AT_ROWS
                   : MYSQL_AT_FIRST;
}

void mysql_reply_end(struct mysql_reply *r)
{
    slab_give(r->slab, r->kinds);
    slab_give(r->slab, r->path);
    slab_give(r->slab, r->text);
    r->kinds = NULL;
    r->path = NULL;
    r->text = NULL;
}

/* ---- Packets that end something --------------------------------------------------------------- */

static bool is_eof(const struct mysql_packet *p)
{
    return p->size == EOF_SIZE && p->body.data[0] == FIRST_EOF;
}

static void append_error(struct mysql_reply *r, struct span text)
{
    struct span part = span_head(text, sizeof r->error - r->error_size);
    memcpy(r->error + r->error_size, part.data, part.size);
    r->error_size += (uint32_t)part.size;
}

/* ERR: a code, then since 4.1 '#' and the SQL state, a text. */
static enum mysql_step take_error(struct mysql_reply *r, const struct mysql_packet *p)
{
    struct cursor c = cursor_of(span_skip(p->body, 1));
    uint16_t code = (uint16_t)mysql_fixed(&c, 2);
    if (c.bad) {
        return MYSQL_BAD;
    }
    if (code == PROGRESS) {
        return MYSQL_GOES_ON;
    }
    r->is_error = true;
    r->error_code = code;
    if (cursor_left(&c) >= 6 && *c.at == '#') {
        cursor_skip(&c, 1);
        append_error(r, cursor_take(&c, 5));
        append_error(r, span_str(": "));
    }
    append_error(r, cursor_take(&c, cursor_left(&c)));
    return MYSQL_DONE;
}

/* Whether a result is the last one, by the status behind it. */
static enum mysql_step go_on_or_end(struct mysql_reply *r, unsigned status)
{
    r->results++;
    if (!(status & STATUS_MORE)) {
        return MYSQL_DONE;
    }
    r->state = MYSQL_AT_FIRST;
    return MYSQL_GOES_ON;
}

/* OK: rows affected, the number a row was given, status. */
static enum mysql_step take_ok(struct mysql_reply *r, const struct mysql_packet *p)
{
    struct cursor c = cursor_of(span_skip(p->body, 1));
    uint64_t affected = mysql_number(&c);
    uint64_t insert_id = mysql_number(&c);
    unsigned status = (unsigned)mysql_fixed(&c, 2);
    if (c.bad) {
        return MYSQL_BAD;
    }
    r->affected += affected;
    r->insert_id = insert_id != 0 ? insert_id : r->insert_id;
    return go_on_or_end(r, status);
}

/* Behind rows: EOF with warnings and status, or an OK in its place. */
static enum mysql_step take_rows_end(struct mysql_reply *r, const struct mysql_packet *p)
{
    if (p->size >= OK_SIZE_MIN) {
        return take_ok(r, p);
    }
    struct cursor c = cursor_of(span_skip(p->body, 3));
    unsigned status = (unsigned)mysql_fixed(&c, 2);
    return c.bad ? MYSQL_BAD : go_on_or_end(r, status);
}

/* ---- Sets of rows ----------------------------------------------------------------------------- */

static enum mysql_step take_row(struct mysql_reply *r, const struct mysql_packet *p)
{
    r->state = MYSQL_AT_ROWS;
    if (p->body.data[0] == FIRST_EOF && p->size < MYSQL_PAYLOAD_MAX) {
        return take_rows_end(r, p);
    }
    if (r->answer == MYSQL_ANSWERS_FIELDS) {
        return MYSQL_GOES_ON;
    }
    if (r->is_binary && p->body.data[0] != 0) {
        return MYSQL_BAD;
    }
    r->rows++;
    mysql_rows_add(r, p);
    return MYSQL_GOES_ON;
}

/* The number of columns; a byte behind or before it tells whether their definitions follow. */
static enum mysql_step take_count(struct mysql_reply *r, const struct mysql_dialect *dialect,
                                  const struct mysql_packet *p)
{
    struct cursor c = cursor_of(p->body);
    bool follows = !dialect->optional_metadata || cursor_u8(&c) != 0;
    uint64_t columns = mysql_number(&c);
    if (c.bad || columns == 0 || columns > UINT16_MAX || cursor_left(&c) > 1) {
        return MYSQL_BAD;
    }
    if (cursor_left(&c) == 1) { /* MARIADB_CLIENT_CACHE_METADATA */
        follows = cursor_u8(&c) != 0;
    }
    r->columns = columns;
    r->fields = r->fields != 0 ? r->fields : columns;
    r->columns_left = follows ? (uint32_t)columns : 0;
    r->state = follows ? MYSQL_AT_COLUMNS : MYSQL_AT_COLUMNS_EOF;
    mysql_rows_begin(r);
    return MYSQL_GOES_ON;
}

static enum mysql_step take_column(struct mysql_reply *r, const struct mysql_packet *p)
{
    if (!mysql_rows_column(r, p->body)) {
        return MYSQL_BAD;
    }
    if (--r->columns_left == 0) {
        mysql_rows_end_header(r);
        r->state = MYSQL_AT_COLUMNS_EOF;
    }
    return MYSQL_GOES_ON;
}

/* Behind the columns: EOF, or the first row at once. */
static enum mysql_step take_columns_end(struct mysql_reply *r, const struct mysql_packet *p)
{
    if (!is_eof(p)) {
        return take_row(r, p);
    }
    struct cursor c = cursor_of(span_skip(p->body, 3));
    unsigned status = (unsigned)mysql_fixed(&c, 2);
    r->state = MYSQL_AT_ROWS;
    return status & STATUS_CURSOR ? MYSQL_DONE : MYSQL_GOES_ON;
}

/* ---- Prepared statements ---------------------------------------------------------------------- */

/* What comes behind the definitions of parameters or columns that were just had, or none. */
static enum mysql_step next_of_prepared(struct mysql_reply *r)
{
    if (r->columns_left > 0) {
        return MYSQL_GOES_ON;
    }
    if (r->state == MYSQL_AT_PARAMS) {
        r->state = MYSQL_AT_PARAMS_EOF;
        return r->prepared_columns > 0 ? MYSQL_GOES_ON : MYSQL_MAY_BE_DONE;
    }
    r->state = MYSQL_AT_PREPARED_EOF;
    return MYSQL_MAY_BE_DONE;
}

static enum mysql_step begin_prepared_columns(struct mysql_reply *r)
{
    r->columns_left = r->prepared_columns;
    r->state = MYSQL_AT_PREPARED_COLUMNS;
    return r->columns_left > 0 ? MYSQL_GOES_ON : MYSQL_DONE;
}

static enum mysql_step take_prepared(struct mysql_reply *r, const struct mysql_dialect *dialect,
                                     const struct mysql_packet *p)
{
    struct cursor c = cursor_of(span_skip(p->body, 1));
    r->statement_id = (uint32_t)mysql_fixed(&c, 4);
    r->prepared_columns = (uint16_t)mysql_fixed(&c, 2);
    r->params = (uint16_t)mysql_fixed(&c, 2);
    cursor_skip(&c, 3); /* unused, warnings */
    if (c.bad || p->body.data[0] != FIRST_OK) {
        return MYSQL_BAD;
    }
    r->fields = r->prepared_columns;
    if (dialect->optional_metadata && cursor_left(&c) > 0 && cursor_u8(&c) == 0) {
        return MYSQL_DONE;
    }
    if (r->params == 0) {
        return begin_prepared_columns(r);
    }
    r->columns_left = r->params;
    r->state = MYSQL_AT_PARAMS;
    return MYSQL_GOES_ON;
}

static enum mysql_step take_definition(struct mysql_reply *r, const struct mysql_packet *p)
{
    struct cursor c = cursor_of(p->body);
    if (!span_equal(mysql_text(&c), span_str("def"))) { /* the catalog is always this */
        return MYSQL_BAD;
    }
    r->columns_left--;
    return next_of_prepared(r);
}

static enum mysql_step take_params_end(struct mysql_reply *r, const struct mysql_packet *p)
{
    bool had_eof = is_eof(p);
    if (had_eof) {
        return begin_prepared_columns(r);
    }
    return begin_prepared_columns(r) == MYSQL_GOES_ON ? take_definition(r, p) : MYSQL_BAD;
}

/* ---- The first packet, and all ---------------------------------------------------------------- */

static enum mysql_step take_first(struct mysql_reply *r, const struct mysql_dialect *dialect,
                                  const struct mysql_packet *p)
{
    uint8_t first = p->body.data[0];
    switch (r->answer) {
    case MYSQL_ANSWERS_TEXT:
    case MYSQL_ANSWERS_STREAM:
        return MYSQL_DONE;
    case MYSQL_ANSWERS_PREPARED:
        return take_prepared(r, dialect, p);
    case MYSQL_ANSWERS_OK:
        if (first == FIRST_EOF) {
            return p->size <= EOF_SIZE ? MYSQL_DONE : take_ok(r, p);
        }
        return first == FIRST_OK ? take_ok(r, p) : MYSQL_BAD;
    case MYSQL_ANSWERS_LOGIN: /* another way to log in, more of it */
        return first == FIRST_OK ? take_ok(r, p) : MYSQL_GOES_ON;
    default:
        break;
    }
    if (first == FIRST_OK && !(dialect->optional_metadata && p->size < OK_SIZE_MIN)) {
        return take_ok(r, p);
    }
    return first == MYSQL_NO_VALUE ? MYSQL_WANTS_FILE : take_count(r, dialect, p);
}

static enum mysql_step take(struct mysql_reply *r, const struct mysql_dialect *dialect,
                            const struct mysql_packet *p)
{
    switch ((enum mysql_state)r->state) {
    case MYSQL_AT_FIRST:
        return take_first(r, dialect, p);
    case MYSQL_AT_COLUMNS:
        return take_column(r, p);
    case MYSQL_AT_COLUMNS_EOF:
        return take_columns_end(r, p);
    case MYSQL_AT_ROWS:
        return take_row(r, p);
    case MYSQL_AT_PARAMS:
    case MYSQL_AT_PREPARED_COLUMNS:
        return take_definition(r, p);
    case MYSQL_AT_PARAMS_EOF:
        return take_params_end(r, p);
    case MYSQL_AT_PREPARED_EOF:
        return is_eof(p) ? MYSQL_DONE : MYSQL_BAD;
    }
    return MYSQL_BAD;
}

/* Whether a packet that begins so is a row. */
static bool is_row(const struct mysql_reply *r, uint8_t first)
{
    return r->is_binary ? first == FIRST_OK : first < FIRST_EOF;
}

void mysql_reply_pass_rows(struct mysql_reply *r, struct cursor *in, uint8_t *number)
{
    bool passes = r->state == MYSQL_AT_ROWS && r->answer != MYSQL_ANSWERS_FIELDS &&
                  !r->options->common.send_response;
    while (passes && cursor_left(in) > MYSQL_HEADER) {
        uint32_t header = load_le32(in->at), size = header & MYSQL_PAYLOAD_MAX;
        if (size == 0 || size == MYSQL_PAYLOAD_MAX || cursor_left(in) - MYSQL_HEADER < size ||
            header >> 24 != *number || !is_row(r, in->at[MYSQL_HEADER])) {
            break;
        }
        cursor_skip(in, MYSQL_HEADER + (size_t)size);
        r->rows++;
        ++*number;
    }
}

enum mysql_step mysql_reply_take(struct mysql_reply *r, const struct mysql_dialect *dialect,
                                 const struct mysql_packet *p)
{
    bool may_be_row = r->state == MYSQL_AT_ROWS || r->state == MYSQL_AT_COLUMNS_EOF;
    if (p->body.size == 0) { /* empty, or there was no memory to keep any of it */
        r->rows += may_be_row && p->size > 0;
        return may_be_row && p->size > 0 ? MYSQL_GOES_ON : MYSQL_BAD;
    }
    bool wants_text = r->state == MYSQL_AT_FIRST && r->answer == MYSQL_ANSWERS_TEXT;
    bool is_error = p->body.data[0] == FIRST_ERROR && !wants_text;
    enum mysql_step step = is_error ? take_error(r, p) : take(r, dialect, p);
    r->has_answered = r->has_answered || step != MYSQL_BAD;
    return step;
}
