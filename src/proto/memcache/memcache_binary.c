// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_binary.h"

#include "base/cursor.h"

enum {
    REQUEST = 0x80,
    RESPONSE = 0x81,
    KEY_MAX = 250,
    VALUE_MAX = 1 << 30,
    FOREIGN_MAX = 32 << 20, /* a body of what is not of memcached's own */
    STATUS_MAX = 0xff,
    VERSION = 0x0b,
    STAT = 0x10,
};

/* An operation; the extras of its request are a letter for each field: f flags, e exptime, d delta
 * and i initial (8 bytes), v verbosity. */
struct operation {
    const char *opcode;
    const char *command;
    const char *extras;
    uint8_t type;
    bool is_quiet;
};

static const struct operation operations[] = {
    [0x00] = {"Get", "get", "", MEMCACHE_LOAD, false},
    [0x01] = {"Set", "set", "fe", MEMCACHE_STORE, false},
    [0x02] = {"Add", "add", "fe", MEMCACHE_STORE, false},
    [0x03] = {"Replace", "replace", "fe", MEMCACHE_STORE, false},
    [0x04] = {"Delete", "delete", "", MEMCACHE_DELETE, false},
    [0x05] = {"Increment", "incr", "die", MEMCACHE_COUNTER, false},
    [0x06] = {"Decrement", "decr", "die", MEMCACHE_COUNTER, false},
    [0x07] = {"Quit", "quit", "", MEMCACHE_INFO, false},
    [0x08] = {"Flush", "flush_all", "e", MEMCACHE_DELETE, false},
    [0x09] = {"GetQ", "get", "", MEMCACHE_LOAD, true},
    [0x0a] = {"No-op", "noop", "", MEMCACHE_INFO, false},
    [0x0b] = {"Version", "version", "", MEMCACHE_INFO, false},
    [0x0c] = {"GetK", "get", "", MEMCACHE_LOAD, false},
    [0x0d] = {"GetKQ", "get", "", MEMCACHE_LOAD, true},
    [0x0e] = {"Append", "append", "", MEMCACHE_STORE, false},
    [0x0f] = {"Prepend", "prepend", "", MEMCACHE_STORE, false},
    [0x10] = {"Stat", "stats", "", MEMCACHE_STATS, false},
    [0x11] = {"SetQ", "set", "fe", MEMCACHE_STORE, true},
    [0x12] = {"AddQ", "add", "fe", MEMCACHE_STORE, true},
    [0x13] = {"ReplaceQ", "replace", "fe", MEMCACHE_STORE, true},
    [0x14] = {"DeleteQ", "delete", "", MEMCACHE_DELETE, true},
    [0x15] = {"IncrementQ", "incr", "die", MEMCACHE_COUNTER, true},
    [0x16] = {"DecrementQ", "decr", "die", MEMCACHE_COUNTER, true},
    [0x17] = {"QuitQ", "quit", "", MEMCACHE_INFO, true},
    [0x18] = {"FlushQ", "flush_all", "e", MEMCACHE_DELETE, true},
    [0x19] = {"AppendQ", "append", "", MEMCACHE_STORE, true},
    [0x1a] = {"PrependQ", "prepend", "", MEMCACHE_STORE, true},
    [0x1b] = {"Verbosity", "verbosity", "v", MEMCACHE_INFO, false},
    [0x1c] = {"Touch", "touch", "e", MEMCACHE_STORE, false},
    [0x1d] = {"GAT", "gat", "e", MEMCACHE_LOAD, false},
    [0x1e] = {"GATQ", "gat", "e", MEMCACHE_LOAD, true},
    [0x20] = {"SASLListMechs", "sasl_list_mechs", "", MEMCACHE_AUTH, false},
    [0x21] = {"SASLAuth", "sasl_auth", "", MEMCACHE_AUTH, false},
    [0x22] = {"SASLStep", "sasl_step", "", MEMCACHE_AUTH, false},
    [0x23] = {"GATK", "gat", "e", MEMCACHE_LOAD, false},
    [0x24] = {"GATKQ", "gat", "e", MEMCACHE_LOAD, true},
};

static const char *const statuses[] = {
    [0x00] = "Success",
    [0x01] = "Key not found",
    [0x02] = "Key exists",
    [0x03] = "Value too large",
    [0x04] = "Invalid arguments",
    [0x05] = "Item not stored",
    [0x06] = "Incr/Decr on non-numeric value.",
    [0x07] = "The vbucket belongs to another server",
    [0x08] = "Authentication error",
    [0x09] = "Authentication continue",
    [0x20] = "Authentication error",
    [0x21] = "Authentication continue",
    [0x81] = "Unknown command",
    [0x82] = "Out of memory",
    [0x83] = "Not supported",
    [0x84] = "Internal error",
    [0x85] = "Busy",
    [0x86] = "Temporary failure",
};

/* Another server's own, as Couchbase has many. */
static const struct operation foreign = {"UNKNOWN", "UNKNOWN", "", MEMCACHE_UNKNOWN, false};

static const struct operation *operation_of(uint8_t opcode)
{
    bool known = opcode < sizeof operations / sizeof *operations;
    return known && operations[opcode].opcode != NULL ? &operations[opcode] : &foreign;
}

static size_t width_of(char field)
{
    return field == 'd' || field == 'i' ? 8 : 4;
}

/* Append has none, an error has none, and Flush may leave its own out. */
static bool extras_fit(const struct operation *operation, bool is_request, size_t size)
{
    if (!is_request) {
        return size == 0 || size == 4;
    }
    size_t wanted = 0;
    for (const char *field = operation->extras; *field != '\0'; field++) {
        wanted += width_of(*field);
    }
    return size == wanted || (size == 0 && strcmp(operation->extras, "e") == 0);
}

enum memcache_header_kind memcache_header_read(struct span data, bool is_known,
                                               struct memcache_header *ret)
{
    uint8_t bytes[MEMCACHE_HEADER] = {0};
    memcpy(bytes, data.data, data.size < sizeof bytes ? data.size : sizeof bytes);
    const struct operation *operation = operation_of(bytes[1]);
    bool is_request = bytes[0] == REQUEST;
    bool is_magic = data.size == 0 || is_request || bytes[0] == RESPONSE;
    if (!is_magic || (operation == &foreign && !is_known)) {
        return MEMCACHE_HEADER_BAD;
    }
    size_t key = load_be16(bytes + 2);
    size_t extras = bytes[4];
    uint64_t body = load_be32(bytes + 8);
    if (key > KEY_MAX || (bytes[5] != 0 && !is_known)) {
        return MEMCACHE_HEADER_BAD;
    }
    if (data.size < MEMCACHE_HEADER) {
        return MEMCACHE_HEADER_CUT;
    }
    bool status_fits = is_request || load_be16(bytes + 6) <= STATUS_MAX;
    bool is_own = operation != &foreign && extras_fit(operation, is_request, extras);
    if (!status_fits || !(is_own || is_known) || body < key + extras ||
        body > (is_own ? VALUE_MAX : FOREIGN_MAX)) {
        return MEMCACHE_HEADER_BAD;
    }
    *ret = (struct memcache_header){
        .is_request = is_request,
        .opcode = bytes[1],
        .head_size = (uint16_t)(MEMCACHE_HEADER + extras + key),
        .value_size = (uint32_t)(body - key - extras),
    };
    return MEMCACHE_HEADER_GOOD;
}

/* ---- Fields --------------------------------------------------------------------------------- */

static void read_extras(struct memcache_message *m, const char *fields, struct cursor *c)
{
    for (; *fields != '\0' && cursor_left(c) >= width_of(*fields); fields++) {
        uint64_t value = width_of(*fields) == 8 ? cursor_be64(c) : cursor_be32(c);
        switch (*fields) {
        case 'f':
            memcache_put(m, MEMCACHE_FLAGS, value);
            break;
        case 'e':
            memcache_put(m, MEMCACHE_EXPTIME, value);
            break;
        case 'd':
            memcache_put(m, MEMCACHE_DELTA, value);
            break;
        case 'i':
            memcache_put(m, MEMCACHE_INITIAL, value);
            break;
        default:
            memcache_put(m, MEMCACHE_VERBOSITY, value);
            break;
        }
    }
}

static void set_status(struct memcache_message *m, uint16_t status)
{
    memcache_put(m, MEMCACHE_STATUS_CODE, status);
    bool known = status < sizeof statuses / sizeof *statuses && statuses[status] != NULL;
    m->status = known ? statuses[status] : "UNKNOWN";
    bool goes_on = status == 0x21; /* the next step of SASL */
    if (status != 0 && !goes_on) {
        m->fault = status >= 0x81 ? MEMCACHE_SERVERS : MEMCACHE_FAILED;
    }
}

/* Whether a response holds a value of the cache, where there is one at all. */
static bool has_value(const struct memcache_message *m, bool is_request)
{
    if (is_request) {
        return m->type == MEMCACHE_STORE && strcmp(m->command, "touch") != 0;
    }
    return m->type == MEMCACHE_LOAD && m->fault == MEMCACHE_FINE;
}

void memcache_binary_read(struct slab *slab, struct memcache_message *m,
                          const struct memcache_header *header, struct span head)
{
    const struct operation *operation = operation_of(header->opcode);
    m->is_binary = true;
    m->opcode = operation->opcode;
    m->command = operation->command;
    m->type = operation->type;
    m->is_quiet = operation->is_quiet;
    m->is_quit = header->opcode == 0x07 || header->opcode == 0x17;
    memcache_put(m, MEMCACHE_OPCODE, header->opcode);
    memcache_put(m, MEMCACHE_OPAQUE, load_be32(head.data + 12));
    uint64_t cas = load_be64(head.data + 16);
    if (cas != 0) {
        memcache_put(m, MEMCACHE_CAS, cas);
    }
    uint16_t word = load_be16(head.data + 6);
    if (header->is_request) {
        memcache_put(m, MEMCACHE_VBUCKET, word);
    } else {
        set_status(m, word);
    }
    size_t extras = head.data[4];
    struct cursor c = cursor_of(span_head(span_skip(head, MEMCACHE_HEADER), extras));
    read_extras(m, header->is_request ? operation->extras : "f", &c);
    struct span key = span_skip(head, MEMCACHE_HEADER + extras);
    bool is_statistic = header->opcode == STAT;
    if (key.size > 0) {
        enum memcache_item_kind kind =
            header->is_request ? MEMCACHE_ITEM_ARGUMENTS : MEMCACHE_ITEM_NAME;
        memcache_item_add(slab, m, is_statistic ? kind : MEMCACHE_ITEM_KEY, key);
    }
    m->is_whole = header->is_request || !is_statistic || key.size == 0;
    if (has_value(m, header->is_request)) {
        memcache_put(m, MEMCACHE_BYTES, header->value_size);
        memcache_put(m, MEMCACHE_COUNT_VALUES, 1);
    }
}

/* ---- Values --------------------------------------------------------------------------------- */

enum memcache_value_use memcache_binary_use(const struct memcache_message *m, bool is_request)
{
    if (m->type == MEMCACHE_AUTH) {
        return MEMCACHE_VALUE_SECRET;
    }
    if (is_request || (m->type == MEMCACHE_LOAD && m->fault == MEMCACHE_FINE)) {
        return MEMCACHE_VALUE_SHOWN;
    }
    bool is_counter = m->type == MEMCACHE_COUNTER && m->fault == MEMCACHE_FINE;
    return is_counter ? MEMCACHE_VALUE_NUMBER : MEMCACHE_VALUE_TEXT;
}

void memcache_binary_value(struct slab *slab, struct memcache_message *m,
                           enum memcache_value_use use, struct span value)
{
    if (use == MEMCACHE_VALUE_NUMBER) {
        if (value.size == 8) {
            memcache_put(m, MEMCACHE_VALUE, load_be64(value.data));
        }
        return;
    }
    bool is_statistic = m->number[MEMCACHE_OPCODE] == STAT;
    bool is_version = m->number[MEMCACHE_OPCODE] == VERSION;
    enum memcache_item_kind kind = m->fault != MEMCACHE_FINE ? MEMCACHE_ITEM_ERROR
                                   : is_statistic            ? MEMCACHE_ITEM_STATISTIC
                                   : is_version              ? MEMCACHE_ITEM_VERSION
                                                             : MEMCACHE_ITEM_LINE;
    if (kind != MEMCACHE_ITEM_LINE) {
        memcache_item_add(slab, m, kind, value);
    }
}
