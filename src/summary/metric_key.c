// SPDX-License-Identifier: Apache-2.0
#include "summary/metric_key.h"

#include <stdio.h>

#include "base/address.h"
#include "base/json.h"
#include "summary/topn.h"

enum { KEY_ADDRESS_SIZE = 17 };

static char *metric_write_address(char *to, struct span key)
{
    bool whole = key.size >= KEY_ADDRESS_SIZE;
    return address_write(to, whole ? key.data[0] : 0, whole ? key.data + 1 : NULL);
}

static char *metric_write_port(char *to, struct span key)
{
    uint16_t port = 0;
    if (key.size >= 1 + sizeof port) {
        memcpy(&port, key.data + 1, sizeof port);
    }
    unsigned protocol = key.size > 0 ? key.data[0] : 0;
    const char *name = protocol == 6     ? "tcp"
                       : protocol == 17  ? "udp"
                       : protocol == 33  ? "dccp"
                       : protocol == 132 ? "sctp"
                       : protocol == 136 ? "udplite"
                                         : NULL;
    to = json_digits(to, port);
    *to++ = '/';
    if (name == NULL) {
        return json_digits(to, protocol);
    }
    return stpcpy(to, name);
}

static struct span metric_unpadded(struct span key)
{
    while (key.size > 0 && key.data[key.size - 1] == 0) {
        key.size--;
    }
    return key;
}

static char *metric_write_text(char *to, struct span key)
{
    key = metric_unpadded(key);
    while (key.size > 0) {
        uint8_t c = key.data[0];
        unsigned length = json_utf8(key);
        if (length == 0 || c < 0x20 || c == 0x7f) {
            static const char hex[] = "0123456789abcdef";
            to = stpcpy(to, "\\x");
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
            length = 1;
        } else if (c == '\\') {
            to = stpcpy(to, "\\\\");
        } else {
            to = mempcpy(to, key.data, length);
        }
        key = span_skip(key, length);
    }
    return to;
}

/* Writes the key's text, at most METRIC_KEY_ROOM - 1 bytes, and returns the end. */
static char *metric_write_key(char *to, enum metric_key kind, struct span key)
{
    key = span_head(key, TOPN_WIDE_MAX);
    switch (kind) {
    case METRIC_KEY_ADDRESS:
        return metric_write_address(to, key);
    case METRIC_KEY_PAIR:
        to = metric_write_address(to, key);
        to = stpcpy(to, " > ");
        return metric_write_address(to, span_skip(key, KEY_ADDRESS_SIZE));
    case METRIC_KEY_PORT:
        return metric_write_port(to, key);
    case METRIC_KEY_TEXT:
        return metric_write_text(to, key);
    case METRIC_KEY_ESCAPED:
        key = metric_unpadded(key);
        return mempcpy(to, key.data, key.size);
    case METRIC_KEY_PLACE:
        return metric_write_text(to, span_head(key, METRIC_PLACE_NAME));
    default:
        return to;
    }
}

_Static_assert(METRIC_KEY_ROOM > 4 * TOPN_WIDE_MAX, "an escape is four bytes for one");

void metric_key_text(enum metric_key kind, struct span key, char *to, size_t size)
{
    char text[METRIC_KEY_ROOM];
    *metric_write_key(text, kind, key) = '\0';
    snprintf(to, size, "%s", text);
}

/* The coordinate of a place that begins at `offset`; zeros at the end of a key need not be there. */
static struct span metric_coordinate(struct span key, size_t offset)
{
    struct span text = span_head(span_skip(key, offset), METRIC_PLACE_COORDINATE);
    return text.size > 0 ? span_of(text.data, strnlen((const char *)text.data, text.size)) : text;
}

struct span metric_key_latitude(struct span key)
{
    return metric_coordinate(key, METRIC_PLACE_NAME);
}

struct span metric_key_longitude(struct span key)
{
    return metric_coordinate(key, METRIC_PLACE_NAME + METRIC_PLACE_COORDINATE);
}
