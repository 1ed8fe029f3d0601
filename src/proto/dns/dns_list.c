// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_list.h"

#include "base/address.h"
#include "proto/dns/dns_pen.h"

enum { KEY_MAX = 32, WITHOUT_VALUES = 512 /* names of members, words and numbers */ };

_Static_assert(2 * DNS_NAME_ROOM + 2 * DNS_RECORD_ROOM + DNS_PARTS_MAX * KEY_MAX + WITHOUT_VALUES <=
                   DNS_LIST_RECORD - DNS_PEN_BEHIND,
               "a record with all of it escaped");

/* The name of a record: mostly that of the question, by a pointer to it. */
static char *put_owner(char *to, const struct dns_list *list, const struct dns_record *record)
{
    const struct dns_message *m = list->message;
    struct dns_name room;
    const struct dns_name *name = &room;
    if (list->asked != NULL &&
        load_be16(m->bytes.data + record->name) == (DNS_POINTER << 8 | m->question_name)) {
        name = list->asked;
    } else if (!dns_name_read(m, record->name, false, &room)) {
        return dns_pen_put(to, "\"\"");
    }
    return dns_pen_name(to, dns_name_text(name), name->is_plain);
}

/* Data that are one name and nothing else; NULL when that is not what they are. */
static char *put_target(char *to, const struct dns_message *m, const struct dns_record *record)
{
    struct dns_name name;
    if (dns_name_expand(m->bytes, record->data, false, &name) != (size_t)record->data + record->size) {
        return NULL;
    }
    to = dns_pen_put(to, ",\"data\":");
    return dns_pen_name(to, dns_name_text(&name), name.is_plain);
}

static char *put_address(char *to, unsigned version, const uint8_t *bytes)
{
    to = dns_pen_put(to, ",\"data\":\"");
    to = address_write(to, version, bytes);
    *to++ = '"';
    return to;
}

/* Data of the types that come most; NULL for others, and for what does not keep to its type. */
static char *put_common(char *to, const struct dns_message *m, const struct dns_record *record)
{
    switch (record->type) {
    case DNS_A:
        return record->size == 4 ? put_address(to, 4, m->bytes.data + record->data) : NULL;
    case DNS_AAAA:
        return record->size == 16 ? put_address(to, 6, m->bytes.data + record->data) : NULL;
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR:
        return put_target(to, m, record);
    default:
        return NULL;
    }
}

/* Data of any type, with what stands beside them. */
static char *put_parts(char *to, const struct dns_message *m, const struct dns_record *record)
{
    char room[DNS_RECORD_ROOM];
    struct dns_text text = dns_text_of(room, sizeof room);
    struct dns_parts parts;
    dns_record_parts(m, record, &text, &parts);
    for (unsigned i = 0; i < parts.count; i++) {
        const struct dns_part *part = &parts.parts[i];
        to = dns_pen_put(to, ",\"");
        to = stpcpy(to, part->key);
        to = dns_pen_put(to, "\":");
        if (part->is_number) {
            to = mempcpy(to, part->value.data, part->value.size);
        } else {
            to = dns_pen_quoted(to, part->value);
        }
    }
    return to;
}

static char *put_record(char *to, const struct dns_list *list, const struct dns_record *record)
{
    char room[DNS_WORD_ROOM];
    to = dns_pen_put(to, "{\"name\":");
    to = put_owner(to, list, record);
    to = dns_pen_put(to, ",\"type\":\"");
    to = dns_pen_word(to, dns_type_word(record->type, room));
    to = dns_pen_put(to, "\",\"class\":\"");
    to = dns_pen_word(to, dns_class_word(record->class & list->class_mask, room));
    to = dns_pen_put(to, "\",\"ttl\":\"");
    to = digits_write(to, record->ttl);
    *to++ = '"';
    char *end = put_common(to, list->message, record);
    to = end != NULL ? end : put_parts(to, list->message, record);
    *to++ = '}';
    return to;
}

void dns_list_add(struct dns_list *list, const struct dns_record *record)
{
    size_t most = DNS_LIST_ROOM - DNS_SECTIONS + list->ends;
    if (list->left_out == 0) {
        char *to = list->data + list->size;
        *to = list->size == list->start ? '[' : ',';
        size_t size = (size_t)(put_record(to + 1, list, record) - list->data);
        if (size <= most) {
            list->size = size;
            return;
        }
    }
    list->left_out++;
}

struct span dns_list_end(struct dns_list *list)
{
    size_t start = list->start;
    if (list->size == start) {
        return span_of(NULL, 0);
    }
    list->data[list->size++] = ']';
    list->ends++;
    list->start = list->size;
    return span_of(list->data + start, list->size - start);
}
