// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_name.h"

#include "base/cursor.h"

enum { HEADER_BYTES = 12 /* no name lies before it */ };

size_t dns_name_skip(struct span bytes, size_t at)
{
    size_t start = at;
    while (at < bytes.size) {
        uint8_t length = bytes.data[at];
        if (length >= DNS_POINTER) {
            return at + 2 <= bytes.size ? at + 2 : 0;
        }
        if (length > DNS_LABEL_MAX || at + length >= start + DNS_NAME_BYTES) {
            return 0;
        }
        at += 1u + length;
        if (length == 0) {
            return at;
        }
    }
    return 0;
}

/* Writes one byte of a label at `to`; returns the end. */
static char *write_escaped(char *to, uint8_t byte)
{
    if (byte < ' ' || byte >= 127) {
        *to++ = '\\';
        *to++ = (char)('0' + byte / 100);
        *to++ = (char)('0' + byte / 10 % 10);
        *to++ = (char)('0' + byte % 10);
        return to;
    }
    if (memchr(" .\\\"'@;()", byte, 9) != NULL) {
        *to++ = '\\';
    }
    *to++ = (char)byte;
    return to;
}

/* How a byte of a label is written: 0 escaped, else as it is, and if it has CASE, in lower case with
 * that bit. Names are read for each message, and a table does not guess wrongly. */
enum { PLAIN = 1, CASE = 0x20 };
static const uint8_t label_bytes[256] = {
    ['-'] = PLAIN, ['_'] = PLAIN, ['0' ... '9'] = PLAIN, ['a' ... 'z'] = PLAIN,
    ['A' ... 'Z'] = PLAIN | CASE,
};

static char *write_label(char *to, const uint8_t *label, size_t size, bool lower)
{
    uint8_t mask = lower ? CASE : 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t how = label_bytes[label[i]];
        if (how != 0) {
            *to++ = (char)(label[i] | (how & mask));
        } else {
            to = write_escaped(to, label[i]);
        }
    }
    return to;
}

/* Where the label at `*at` lies, past pointers: each leads before `*before`, the lowest place read so
 * far, so that a name cannot come back to itself. False when it leads nowhere. */
static bool follow(struct span bytes, size_t *at, size_t *before, unsigned *jumps)
{
    while (*at < bytes.size && bytes.data[*at] >= DNS_POINTER) {
        if (*at + 2 > bytes.size || ++*jumps > DNS_JUMPS_MAX) {
            return false;
        }
        size_t to = load_be16(bytes.data + *at) & 0x3fff;
        if (to >= *before || to < HEADER_BYTES) {
            return false;
        }
        *before = *at = to;
    }
    return *at < bytes.size && bytes.data[*at] <= DNS_LABEL_MAX;
}

/* Names are mostly plain: no pointers, nothing to escape. Then the text is what lies there, with dots
 * for lengths, and 16 bytes at a time are looked at and written. */
typedef uint8_t sixteen __attribute__((vector_size(16)));

/* 0xff for each byte between two, both included. */
static inline sixteen between(sixteen bytes, uint8_t first, uint8_t last)
{
    sixteen offset = bytes - first;
    return (sixteen)(offset <= (uint8_t)(last - first));
}

/* Writes 16 bytes of labels at `to`, dots for what is not plain; 0xff for each such. */
static inline sixteen write_sixteen(char *to, sixteen bytes, bool lower)
{
    sixteen upper = between(bytes, 'A', 'Z');
    sixteen folded = bytes | (upper & CASE);
    sixteen plain = between(folded, 'a', 'z') | between(bytes, '0', '9') |
                    (sixteen)(bytes == '-') | (sixteen)(bytes == '_');
    sixteen text = ((lower ? folded : bytes) & plain) | (~plain & '.');
    memcpy(to, &text, sizeof text);
    return ~plain;
}

static inline unsigned sum_of(sixteen bytes)
{
    uint64_t halves[2];
    memcpy(halves, &bytes, sizeof halves);
    return (unsigned)(halves[0] * UINT64_C(0x0101010101010101) >> 56) +
           (unsigned)(halves[1] * UINT64_C(0x0101010101010101) >> 56);
}

/* 0xff in the first `count` of 16. */
static inline sixteen first_of(size_t count)
{
    static const uint8_t lanes[32] = {[0 ... 15] = 0xff};
    sixteen ret;
    memcpy(&ret, lanes + 16 - count, sizeof ret);
    return ret;
}

/* Writes `size` bytes of labels with lengths between them, and up to 15 more, where `room` bytes may be
 * read; returns how many of them are not plain. */
static unsigned write_labels(char *to, const uint8_t *from, size_t size, size_t room, bool lower)
{
    sixteen odd = {0}, bytes = {0};
    size_t at = 0;
    for (; at + sizeof bytes <= size; at += sizeof bytes) {
        memcpy(&bytes, from + at, sizeof bytes);
        odd -= write_sixteen(to + at, bytes, lower);
    }
    if (at + sizeof bytes <= room) {
        memcpy(&bytes, from + at, sizeof bytes);
    } else {
        memcpy(&bytes, from + at, size - at); /* waits for what was just written: seldom */
    }
    odd -= write_sixteen(to + at, bytes, lower) & first_of(size - at);
    return sum_of(odd);
}

/* Writes a run of labels that lie at `from` to where it belongs in a text: `wire` bytes of the name were
 * read, this run included. Returns how many bytes of it are not plain. */
static unsigned write_run(struct dns_name *ret, struct span bytes, size_t from, size_t size,
                          size_t wire, bool lower)
{
    size_t skip = size == wire; /* the first length of all is no dot */
    if (size == 0) {
        return 0;
    }
    return write_labels(ret->text + wire - size + skip - 1, bytes.data + from + skip, size - skip,
                        bytes.size - from - skip, lower);
}

/* Writes dots for lengths that are such as digits have and a hyphen, and were written as they are; returns
 * how many these are. The first of all was not written. */
static __attribute__((noinline)) unsigned mend_dots(struct dns_name *name)
{
    unsigned mended = 0;
    for (unsigned i = 1; i < name->labels; i++) {
        size_t end = i + 1U < name->labels ? name->starts[i + 1] : name->size + 1U;
        uint8_t length = (uint8_t)(end - name->starts[i] - 1);
        mended += label_bytes[length] != 0;
        name->text[name->starts[i] - 1] = '.';
    }
    return mended;
}

/* Expands a name that is plain; 0 when this one is something else, whatever that is. */
static size_t read_plain(struct span bytes, size_t at, bool lower, struct dns_name *ret)
{
    size_t end = 0, wire = 0, before = at;
    unsigned labels = 0, jumps = 0, longest = 0, odd = 0;
    for (;;) {
        size_t run = at;
        for (; at < bytes.size && bytes.data[at] - 1U < DNS_LABEL_MAX; labels++) {
            uint8_t length = bytes.data[at];
            if (wire + length >= DNS_NAME_BYTES - 1) {
                return 0;
            }
            longest = length > longest ? length : longest;
            ret->starts[labels] = (uint16_t)wire;
            wire += 1u + length;
            at += 1u + length;
        }
        if (at >= bytes.size) {
            return 0;
        }
        odd += write_run(ret, bytes, run, at - run, wire, lower);
        bool is_end = bytes.data[at] == 0;
        end = end != 0 ? end : at + (is_end ? 1 : 2);
        if (is_end) {
            break;
        }
        if (!follow(bytes, &at, &before, &jumps)) {
            return 0;
        }
    }
    ret->labels = (uint8_t)labels;
    ret->size = (uint16_t)(wire - 1);
    ret->is_plain = true;
    /* Of what was written, all lengths but the first are to be what is not plain, and nothing else. */
    unsigned mended = longest >= '-' ? mend_dots(ret) : 0;
    return odd + mended + 1 == labels ? end : 0;
}

/* Expands any name. */
static size_t read_any(struct span bytes, size_t at, bool lower, struct dns_name *ret)
{
    size_t end = dns_name_skip(bytes, at), before = at, wire = 1;
    unsigned jumps = 0;
    char *to = ret->text;
    ret->labels = 0;
    for (;;) {
        if (!follow(bytes, &at, &before, &jumps)) {
            return 0;
        }
        uint8_t length = bytes.data[at++];
        if (length == 0) {
            break;
        }
        wire += 1u + length;
        if (wire > DNS_NAME_BYTES || length >= bytes.size - at) {
            return 0;
        }
        if (ret->labels > 0) {
            *to++ = '.';
        }
        ret->starts[ret->labels++] = (uint16_t)(to - ret->text);
        to = write_label(to, bytes.data + at, length, lower);
        at += length;
    }
    if (ret->labels == 0) {
        *to++ = '.';
    }
    ret->size = (uint16_t)(to - ret->text);
    ret->is_plain = ret->labels == 0;
    return end;
}

size_t dns_name_expand(struct span message, size_t at, bool lower, struct dns_name *ret)
{
    size_t end = read_plain(message, at, lower, ret);
    return end != 0 ? end : read_any(message, at, lower, ret);
}

struct span dns_name_tail(const struct dns_name *name, unsigned count)
{
    size_t start = count > 0 && count < name->labels ? name->starts[name->labels - count] : 0;
    return span_of(name->text + start, name->size - start);
}

void dns_name_lower(const struct dns_name *name, char *to)
{
    sixteen bytes;
    for (size_t at = 0; at < name->size; at += sizeof bytes) {
        memcpy(&bytes, name->text + at, sizeof bytes);
        bytes |= between(bytes, 'A', 'Z') & CASE;
        memcpy(to + at, &bytes, sizeof bytes);
    }
    to[name->size] = '\0';
}
