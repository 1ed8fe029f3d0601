// SPDX-License-Identifier: Apache-2.0
/* RESP, the serialisation of Redis in its versions 2 and 3 (redis.io/docs/latest/develop/reference/
 * protocol-spec): bytes in any pieces become one message after the other. A reader takes every byte
 * once and keeps what it needs to go on, so that the largest value costs its bytes and no memory;
 * what people would read of a message is written to a text of the caller's on the way, secrets as
 * ****. No allocation, no recursion. A reader and its text are the caller's; zeroed is ready. */
#pragma once

#include "base/cursor.h"

enum {
    RESP_DEPTH = 16,   /* brackets that are shown; what is nested deeper stands in the innermost */
    RESP_ELEMENTS = 3, /* of the outermost array, of which it is known where they are in the text */
    RESP_STEP = 64,    /* bytes of text that are written without asking */
};

enum resp_verdict {
    RESP_MORE, /* all bytes are read */
    RESP_DONE, /* a message is whole; resp_begin() before the next */
    RESP_FULL, /* the text wants more room: give it, or set `last`, and call again */
    RESP_BAD,  /* not RESP */
};

struct resp_text {
    uint8_t *data;
    uint32_t size;
    uint32_t capacity;
    bool last;   /* there is no more room: what does not fit is left out, */
    bool is_cut; /* as some was */
};

struct resp_element {
    uint32_t start; /* in the text */
    uint32_t size;
};

/* An array, set or map that is not whole yet. */
struct resp_level {
    uint64_t left; /* values to come */
    uint32_t index; /* values that came, saturating */
    uint8_t type;
    bool streamed; /* ended by a '.', not by a count */
};

struct resp_reader {
    bool is_client; /* set by the owner: reads commands, not values */
    /* Of the message, while it is read and when it is whole. */
    uint8_t type;   /* its first byte; 0: an inline command */
    bool is_error;
    bool is_null;
    uint64_t bytes;
    uint64_t count; /* of a command's words, or the elements of the outermost array */
    struct resp_element elements[RESP_ELEMENTS];
    /* Where it stands. */
    uint8_t state;
    uint8_t value_type;  /* of the value that is read */
    uint8_t depth;       /* of levels */
    uint8_t hidden;      /* depth of an attribute, which is not shown; 0: none */
    uint8_t truth;       /* of a boolean: its letter */
    uint8_t skip;        /* bytes of a verbatim string that are no text: "txt:" */
    uint8_t secret;      /* words until one is a secret */
    bool masked;         /* this one is */
    bool has_rules;      /* words that begin like rules for passwords are */
    bool is_discreet;    /* the command may have a secret */
    bool looked;         /* at the first byte of this one */
    bool negative;
    bool endless;        /* the length is '?' */
    bool in_chunks;      /* of a string whose length was '?' */
    uint8_t digits;
    uint64_t number;     /* a length as it is read, then what is left of it */
    uint32_t line;       /* bytes of the line so far */
    uint32_t word_start; /* in the text, of the value that is read */
    struct resp_level levels[RESP_DEPTH];
};

/* Makes a reader ready for the next message; the text is the caller's to empty. */
void resp_begin(struct resp_reader *r);

/* Whether nothing of a message has been read. */
bool resp_is_idle(const struct resp_reader *r);

/* Steps over empty lines between messages, which telnet sends, or a master that keeps a replica
 * waiting. */
void resp_skip_blank(const struct resp_reader *r, struct cursor *c);

/* Reads on. */
enum resp_verdict resp_read(struct resp_reader *r, struct cursor *c, struct resp_text *text);

/* Goes on behind `length` bytes that are missing, which it can within a long value; false, and
 * nothing is changed, when it cannot. */
bool resp_miss(struct resp_reader *r, uint64_t length);

/* An element of the message as text; empty when it is not there. */
struct span resp_element(const struct resp_reader *r, const struct resp_text *text, unsigned index);
