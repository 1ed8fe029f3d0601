// SPDX-License-Identifier: Apache-2.0
#include "handler/services.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PORTS = 65536, UDP = 17, NAMES_MAX = 4 << 20, FILE_MAX = 64 << 20 };

struct services {
    uint32_t names[2][PORTS]; /* places in `text`: TCP, UDP; 0: none */
    char *text;
    size_t used, room;
};

/* The next field of a line (RFC 4180); quotes around it are taken off, doubled ones within stay. */
static struct span next_field(struct span *line)
{
    bool quoted = line->size > 0 && line->data[0] == '"';
    size_t at = quoted;
    while (at < line->size && (quoted ? line->data[at] != '"' ||
                                            (at + 1 < line->size && line->data[at + 1] == '"')
                                      : line->data[at] != ',')) {
        at += quoted && line->data[at] == '"' ? 2 : 1;
    }
    struct span field = span_head(span_skip(*line, quoted), at - quoted);
    *line = span_skip(*line, at + quoted + 1u);
    return field;
}

static bool read_port(struct span text, size_t *at, uint32_t *ret)
{
    size_t begin = *at;
    *ret = 0;
    while (*at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9' && *ret < PORTS) {
        *ret = *ret * 10 + (text.data[(*at)++] - '0');
    }
    return *at > begin && *ret < PORTS;
}

static uint32_t keep(struct services *s, struct span name)
{
    if (s->used + name.size + 1 > s->room) {
        return 0;
    }
    uint32_t at = (uint32_t)s->used;
    memcpy(s->text + at, name.data, name.size);
    s->text[at + name.size] = '\0';
    s->used += name.size + 1;
    return at;
}

static void read_line(struct services *s, struct span line)
{
    struct span name = next_field(&line), ports = next_field(&line), protocol = next_field(&line);
    bool is_udp = span_equal(protocol, span_str("udp"));
    uint32_t first, last;
    size_t at = 0;
    if (name.size == 0 || (!is_udp && !span_equal(protocol, span_str("tcp"))) ||
        !read_port(ports, &at, &first)) {
        return;
    }
    last = first;
    if (at < ports.size && (ports.data[at++] != '-' || !read_port(ports, &at, &last))) {
        return;
    }
    uint32_t place = keep(s, name);
    for (uint32_t port = first; port <= last; port++) {
        uint32_t *to = &s->names[is_udp][port];
        *to = *to == 0 ? place : *to; /* the first is the port's own */
    }
}

struct services *services_read(struct span text)
{
    struct services *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->room = text.size + 1 < NAMES_MAX ? text.size + 1 : NAMES_MAX;
    s->text = calloc(1, s->room);
    if (s->text == NULL) {
        free(s);
        return NULL;
    }
    s->used = 1;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        read_line(s, span_head(text, size));
        text = span_skip(text, size + 1);
    }
    return s;
}

struct services *services_open(const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    long size = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    struct services *ret = NULL;
    if (size < 0 || size > FILE_MAX) {
        err_set(err, ERR_FAILED, "%s: %s", path, size < 0 ? strerror(errno) : "larger than 64 MiB");
    } else {
        uint8_t *bytes = malloc((size_t)size + 1);
        rewind(file);
        size_t got = bytes != NULL ? fread(bytes, 1, (size_t)size, file) : 0;
        ret = bytes != NULL ? services_read(span_of(bytes, got)) : NULL;
        free(bytes);
        if (ret == NULL) {
            err_set(err, ERR_FAILED, "%s: out of memory", path);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return ret;
}

void services_close(struct services *services)
{
    if (services != NULL) {
        free(services->text);
        free(services);
    }
}

const char *services_name(const struct services *services, uint8_t protocol, uint16_t port)
{
    uint32_t at = services->names[protocol == UDP][port];
    return at != 0 ? services->text + at : NULL;
}
