// SPDX-License-Identifier: Apache-2.0
/* The commands of the MySQL protocol, MariaDB's too: their names and the kind of their replies. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum mysql_code {
    MYSQL_QUIT = 1,
    MYSQL_INIT_DB = 2,
    MYSQL_QUERY = 3,
    MYSQL_CHANGE_USER = 17,
    MYSQL_PREPARE = 22,
    MYSQL_EXECUTE = 23,
    MYSQL_LONG_DATA = 24,
    MYSQL_CLOSE = 25,
    MYSQL_RESET = 26,
    MYSQL_FETCH = 28,
    MYSQL_RESET_CONNECTION = 31,
    MYSQL_BULK_EXECUTE = 0xfa,
};

enum mysql_answer {
    MYSQL_ANSWERS_NOTHING,
    MYSQL_ANSWERS_RESULT,   /* OK, an error, sets of rows, or that it wants a file */
    MYSQL_ANSWERS_OK,       /* OK, its old form EOF, or an error */
    MYSQL_ANSWERS_TEXT,     /* one packet of text */
    MYSQL_ANSWERS_FIELDS,   /* column definitions */
    MYSQL_ANSWERS_PREPARED,
    MYSQL_ANSWERS_ROWS,     /* of an open cursor */
    MYSQL_ANSWERS_LOGIN,    /* a conversation about who one is */
    MYSQL_ANSWERS_STREAM,   /* the binary log, without end */
};

struct mysql_command {
    uint8_t code;
    uint8_t answer;    /* enum mysql_answer */
    bool is_statement; /* of SQL: always an event */
    const char *name;  /* in upper case, without COM_ */
};

/* The command with that code; NULL when there is none. */
const struct mysql_command *mysql_command(uint8_t code);
