// SPDX-License-Identifier: Apache-2.0
#include "proto/thrift/thrift_idl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pages.h"

enum { MEMORY = 64 << 20, FILE_MAX_BYTES = 4 << 20, NESTED_MAX = 16 };

struct alias {
    struct alias *next;
    struct span name;
    struct thrift_type_names *type;
};

struct thrift_idl {
    size_t used;
    struct thrift_struct_names *structs;
    struct alias *aliases;
    struct thrift_service_names *services;
    struct thrift_type_names *named; /* all types with a name */
};

/* A file being read. */
struct parser {
    struct thrift_idl *idl;
    const char *path;
    struct span text; /* all of it */
    size_t at;
    struct span token; /* the one that is looked at; empty at the end */
    struct err *err;
    unsigned nested;
};

/* ---- Memory --------------------------------------------------------------------------------- */

static void *allocate(struct parser *p, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    if (MEMORY - p->idl->used < rounded) {
        err_set(p->err, ERR_USAGE, "%s: too many definitions; leave out some of the files",
                p->path);
        return NULL;
    }
    void *ret = (char *)p->idl + p->idl->used;
    p->idl->used += rounded;
    return ret;
}

/* ---- Tokens --------------------------------------------------------------------------------- */

static bool fail(struct parser *p, const char *what)
{
    size_t end = (size_t)(p->token.data - p->text.data);
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < end && i < p->text.size; i++) {
        column = p->text.data[i] == '\n' ? 1 : column + 1;
        line += p->text.data[i] == '\n';
    }
    struct span shown = span_head(p->token, 40);
    return shown.size == 0 ? err_set(p->err, ERR_USAGE, "%s:%u:%u: %s, but the file ends", p->path,
                                     line, column, what)
                           : err_set(p->err, ERR_USAGE, "%s:%u:%u: %s, not '%.*s'", p->path, line,
                                     column, what, (int)shown.size, (const char *)shown.data);
}

static bool is_word(uint8_t byte)
{
    return ((byte | 32) >= 'a' && (byte | 32) <= 'z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '.' || byte == '-' || byte == '+';
}

static bool starts(const struct parser *p, const char *text)
{
    size_t size = strlen(text);
    return p->text.size - p->at >= size && memcmp(p->text.data + p->at, text, size) == 0;
}

static void skip_to(struct parser *p, const char *end)
{
    while (p->at < p->text.size && !starts(p, end)) {
        p->at++;
    }
    p->at += p->at < p->text.size ? strlen(end) : 0;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->text.size) {
        if (starts(p, "//") || starts(p, "#")) {
            skip_to(p, "\n");
        } else if (starts(p, "/*")) {
            p->at += 2;
            skip_to(p, "*/");
        } else if (p->text.data[p->at] <= ' ') {
            p->at++;
        } else {
            return;
        }
    }
}

static void next(struct parser *p)
{
    skip_blanks(p);
    size_t from = p->at;
    if (from == p->text.size) {
        p->token = span_of(p->text.data + from, 0);
        return;
    }
    uint8_t first = p->text.data[p->at++];
    if (first == '"' || first == '\'') {
        while (p->at < p->text.size && p->text.data[p->at] != first) {
            p->at++;
        }
        p->at += p->at < p->text.size;
    } else if (is_word(first)) {
        while (p->at < p->text.size && is_word(p->text.data[p->at])) {
            p->at++;
        }
    }
    p->token = span_of(p->text.data + from, p->at - from);
}

static bool is_at(const struct parser *p, const char *text)
{
    return span_equal(p->token, span_str(text));
}

static bool accept(struct parser *p, const char *text)
{
    bool found = is_at(p, text);
    if (found) {
        next(p);
    }
    return found;
}

static bool expect(struct parser *p, const char *text, const char *what)
{
    return accept(p, text) || fail(p, what);
}

static bool take_name(struct parser *p, struct span *ret)
{
    if (p->token.size == 0 || !is_word(p->token.data[0])) {
        return fail(p, "a name is expected here");
    }
    *ret = p->token;
    next(p);
    return true;
}

/* Past what stands between two brackets, which is looked at; others within. */
static bool skip_brackets(struct parser *p)
{
    unsigned depth = 0;
    do {
        if (p->token.size == 0) {
            return fail(p, "a bracket is to be closed");
        }
        uint8_t byte = p->token.data[0];
        depth += byte == '(' || byte == '{' || byte == '[';
        depth -= byte == ')' || byte == '}' || byte == ']';
        next(p);
    } while (depth > 0);
    return true;
}

static bool skip_annotations(struct parser *p)
{
    return !is_at(p, "(") || skip_brackets(p);
}

/* A default: a word, a text, or what stands in brackets. */
static bool skip_value(struct parser *p)
{
    if (is_at(p, "[") || is_at(p, "{")) {
        return skip_brackets(p);
    }
    if (p->token.size == 0) {
        return fail(p, "a value is expected here");
    }
    next(p);
    return true;
}

static void skip_separator(struct parser *p)
{
    (void)(accept(p, ",") || accept(p, ";"));
}

/* ---- Types and fields ----------------------------------------------------------------------- */

static bool parse_type(struct parser *p, struct thrift_type_names **ret);

/* <T> or <K, V> */
static bool parse_inside(struct parser *p, struct thrift_type_names *type, bool is_map)
{
    struct thrift_type_names *inside;
    if (!expect(p, "<", "'<' is expected here") || !parse_type(p, &inside)) {
        return false;
    }
    type->value = inside;
    if (is_map) {
        type->key = inside;
        if (!expect(p, ",", "',' is expected here") || !parse_type(p, &inside)) {
            return false;
        }
        type->value = inside;
    }
    return expect(p, ">", "'>' is expected here");
}

static bool parse_type(struct parser *p, struct thrift_type_names **ret)
{
    struct thrift_type_names *type = allocate(p, sizeof *type);
    *ret = type;
    if (type == NULL) {
        return false;
    }
    bool is_map = is_at(p, "map");
    struct span name;
    if (is_map || is_at(p, "list") || is_at(p, "set")) {
        if (++p->nested > NESTED_MAX) {
            return fail(p, "types are nested too deep");
        }
        next(p);
        bool good = parse_inside(p, type, is_map) && skip_annotations(p);
        p->nested--;
        return good;
    }
    if (!take_name(p, &name)) {
        return false;
    }
    type->name = name;
    type->next_named = p->idl->named;
    p->idl->named = type;
    return skip_annotations(p);
}

/* 1: optional i32 name = 5 (annotations), */
static bool parse_field(struct parser *p, struct thrift_struct_names *to, int16_t otherwise)
{
    struct thrift_field_names *field = allocate(p, sizeof *field);
    if (field == NULL) {
        return false;
    }
    field->id = otherwise;
    if (p->token.size > 0 &&
        (p->token.data[0] == '-' || (p->token.data[0] >= '0' && p->token.data[0] <= '9'))) {
        field->id = (int16_t)strtol((const char *)p->token.data, NULL, 10);
        next(p);
        if (!expect(p, ":", "':' is expected here")) {
            return false;
        }
    }
    (void)(accept(p, "required") || accept(p, "optional"));
    if (!parse_type(p, &field->type) || !take_name(p, &field->name) ||
        (accept(p, "=") && !skip_value(p)) || !skip_annotations(p)) {
        return false;
    }
    skip_separator(p);
    field->next = to->fields;
    to->fields = field;
    return true;
}

static bool parse_fields(struct parser *p, struct thrift_struct_names *to, const char *end)
{
    for (int16_t i = -1; !is_at(p, end); i--) {
        if (!parse_field(p, to, i)) {
            return false;
        }
    }
    next(p);
    return true;
}

/* ---- Definitions ---------------------------------------------------------------------------- */

static bool parse_struct(struct parser *p)
{
    struct thrift_struct_names *s = allocate(p, sizeof *s);
    if (s == NULL || !take_name(p, &s->name)) {
        return false;
    }
    (void)accept(p, "xsd_all");
    s->next = p->idl->structs;
    p->idl->structs = s;
    return expect(p, "{", "'{' is expected here") && parse_fields(p, s, "}") && skip_annotations(p);
}

static bool parse_typedef(struct parser *p)
{
    struct alias *alias = allocate(p, sizeof *alias);
    if (alias == NULL || !parse_type(p, &alias->type) || !take_name(p, &alias->name)) {
        return false;
    }
    alias->next = p->idl->aliases;
    p->idl->aliases = alias;
    return skip_annotations(p);
}

/* The value that is returned is field 0 of the result. */
static bool parse_return(struct parser *p, struct thrift_method_names *m)
{
    m->is_oneway = accept(p, "oneway") || accept(p, "async");
    if (accept(p, "void")) {
        return true;
    }
    struct thrift_field_names *field = allocate(p, sizeof *field);
    if (field == NULL || !parse_type(p, &field->type)) {
        return false;
    }
    field->name = span_str("success");
    m->result.fields = field;
    return true;
}

static bool parse_method(struct parser *p, struct thrift_service_names *service)
{
    struct thrift_method_names *m = allocate(p, sizeof *m);
    if (m == NULL || !parse_return(p, m) || !take_name(p, &m->name) ||
        !expect(p, "(", "'(' is expected here") || !parse_fields(p, &m->parameters, ")")) {
        return false;
    }
    if (accept(p, "throws") &&
        (!expect(p, "(", "'(' is expected here") || !parse_fields(p, &m->result, ")"))) {
        return false;
    }
    m->next = service->methods;
    service->methods = m;
    bool good = skip_annotations(p);
    skip_separator(p);
    return good;
}

static bool parse_service(struct parser *p)
{
    struct thrift_service_names *service = allocate(p, sizeof *service);
    struct span parent;
    if (service == NULL || !take_name(p, &service->name) ||
        (accept(p, "extends") && !take_name(p, &parent)) ||
        !expect(p, "{", "'{' is expected here")) {
        return false;
    }
    service->next = p->idl->services;
    p->idl->services = service;
    while (!is_at(p, "}")) {
        if (!parse_method(p, service)) {
            return false;
        }
    }
    next(p);
    return skip_annotations(p);
}

static bool parse_constant(struct parser *p)
{
    struct thrift_type_names *type;
    struct span name;
    return parse_type(p, &type) && take_name(p, &name) && expect(p, "=", "'=' is expected here") &&
           skip_value(p);
}

static bool parse_enum(struct parser *p)
{
    struct span name;
    return take_name(p, &name) && (is_at(p, "{") || fail(p, "'{' is expected here")) &&
           skip_brackets(p) && skip_annotations(p);
}

static bool parse_definition(struct parser *p)
{
    if (accept(p, "include") || accept(p, "cpp_include")) {
        next(p);
    } else if (accept(p, "namespace")) {
        next(p);
        next(p);
        return skip_annotations(p);
    } else if (accept(p, "typedef")) {
        return parse_typedef(p);
    } else if (accept(p, "const")) {
        return parse_constant(p);
    } else if (accept(p, "enum") || accept(p, "senum")) {
        return parse_enum(p);
    } else if (accept(p, "struct") || accept(p, "union") || accept(p, "exception")) {
        return parse_struct(p);
    } else if (accept(p, "service")) {
        return parse_service(p);
    } else {
        return fail(p, "a definition (struct, service, enum ...) is expected here");
    }
    return true;
}

static bool parse(struct parser *p)
{
    for (next(p); p->token.size > 0;) {
        if (!parse_definition(p)) {
            return false;
        }
        skip_separator(p);
    }
    return true;
}

/* ---- Names resolved ------------------------------------------------------------------------- */

/* Without the name of the file that it is from. */
static struct span last_part(struct span name)
{
    const uint8_t *dot = name.size > 0 ? memrchr(name.data, '.', name.size) : NULL;
    return dot != NULL ? span_skip(name, (size_t)(dot + 1 - name.data)) : name;
}

static const struct alias *find_alias(const struct thrift_idl *idl, struct span name)
{
    for (const struct alias *a = idl->aliases; a != NULL; a = a->next) {
        if (span_equal(a->name, name)) {
            return a;
        }
    }
    return NULL;
}

static const struct thrift_struct_names *find_struct(const struct thrift_idl *idl, struct span name)
{
    for (const struct thrift_struct_names *s = idl->structs; s != NULL; s = s->next) {
        if (span_equal(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

/* What a name means, through a few aliases. */
static void resolve_one(const struct thrift_idl *idl, struct thrift_type_names *type)
{
    struct span name = last_part(type->name);
    for (unsigned i = 0; i < NESTED_MAX; i++) {
        type->of = find_struct(idl, name);
        const struct alias *alias = type->of == NULL ? find_alias(idl, name) : NULL;
        if (alias == NULL) {
            return;
        }
        if (alias->type->name.size == 0) { /* of a container */
            type->key = alias->type->key;
            type->value = alias->type->value;
            return;
        }
        name = last_part(alias->type->name);
    }
}

static void resolve(struct thrift_idl *idl)
{
    for (struct thrift_type_names *type = idl->named; type != NULL; type = type->next_named) {
        resolve_one(idl, type);
    }
}

/* ---- Files ---------------------------------------------------------------------------------- */

static bool read_all(int file, uint8_t *to, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t n = read(file, to + used, size - used);
        if (n <= 0) {
            return false;
        }
        used += (size_t)n;
    }
    return true;
}

/* The text of the parser's file, in its memory. */
static bool load(struct parser *p)
{
    int file = open(p->path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        int number = file < 0 ? errno : EINVAL;
        if (file >= 0) {
            close(file);
        }
        return err_set(p->err, ERR_USAGE, "cannot read %s: %s", p->path, strerror(number));
    }
    size_t size = about.st_size <= FILE_MAX_BYTES ? (size_t)about.st_size : 0;
    uint8_t *bytes = size > 0 ? allocate(p, size + 1) : NULL; /* a zero behind: for strtol() */
    bool good = bytes != NULL && read_all(file, bytes, size);
    close(file);
    p->text = span_of(bytes, size);
    return good || (size == 0 && about.st_size == 0) ||
           err_set(p->err, ERR_USAGE, "cannot read %s: it is larger than 4 MiB, or is changing",
                   p->path);
}

struct thrift_idl *thrift_idl_new(const struct text_list *files, struct err *err)
{
    struct thrift_idl *idl = pages_reserve(MEMORY);
    if (idl == NULL) {
        err_set(err, ERR_FAILED, "out of memory for idl_files");
        return NULL;
    }
    idl->used = (sizeof *idl + 15) & ~(size_t)15;
    for (size_t i = 0; i < files->count; i++) {
        struct parser p = {.idl = idl, .path = files->items[i], .err = err};
        if (!load(&p) || (p.text.size > 0 && !parse(&p))) {
            thrift_idl_free(idl);
            return NULL;
        }
    }
    resolve(idl);
    return idl;
}

void thrift_idl_free(struct thrift_idl *idl)
{
    pages_release(idl, idl != NULL ? MEMORY : 0);
}

const struct thrift_method_names *thrift_idl_method(const struct thrift_idl *idl,
                                                    struct span service, struct span method,
                                                    struct span *ret_service)
{
    const struct thrift_service_names *s = idl != NULL ? idl->services : NULL;
    for (; s != NULL; s = s->next) {
        if (service.size > 0 && !span_equal(s->name, service)) {
            continue;
        }
        for (const struct thrift_method_names *m = s->methods; m != NULL; m = m->next) {
            if (span_equal(m->name, method)) {
                *ret_service = s->name;
                return m;
            }
        }
    }
    return NULL;
}

const struct thrift_field_names *thrift_idl_field(const struct thrift_struct_names *of, int16_t id)
{
    const struct thrift_field_names *field = of != NULL ? of->fields : NULL;
    while (field != NULL && field->id != id) {
        field = field->next;
    }
    return field;
}
