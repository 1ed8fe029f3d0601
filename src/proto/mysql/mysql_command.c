// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_command.h"

#include <stddef.h>

static const struct mysql_command commands[] = {
    {MYSQL_QUERY, MYSQL_ANSWERS_RESULT, true, "QUERY"},
    {MYSQL_PREPARE, MYSQL_ANSWERS_PREPARED, true, "PREPARE"},
    {MYSQL_EXECUTE, MYSQL_ANSWERS_RESULT, true, "EXECUTE"},
    {MYSQL_CLOSE, MYSQL_ANSWERS_NOTHING, false, "CLOSE"},
    {14, MYSQL_ANSWERS_OK, false, "PING"},
    {MYSQL_BULK_EXECUTE, MYSQL_ANSWERS_RESULT, true, "BULK_EXECUTE"},
    {MYSQL_FETCH, MYSQL_ANSWERS_ROWS, false, "FETCH"},
    {MYSQL_RESET, MYSQL_ANSWERS_OK, false, "RESET"},
    {MYSQL_LONG_DATA, MYSQL_ANSWERS_NOTHING, false, "LONG_DATA"},
    {MYSQL_QUIT, MYSQL_ANSWERS_NOTHING, false, "QUIT"},
    {MYSQL_INIT_DB, MYSQL_ANSWERS_OK, false, "INIT_DB"},
    {4, MYSQL_ANSWERS_FIELDS, false, "FIELD_LIST"},
    {5, MYSQL_ANSWERS_OK, false, "CREATE_DB"},
    {6, MYSQL_ANSWERS_OK, false, "DROP_DB"},
    {7, MYSQL_ANSWERS_OK, false, "REFRESH"},
    {8, MYSQL_ANSWERS_OK, false, "SHUTDOWN"},
    {9, MYSQL_ANSWERS_TEXT, false, "STATISTICS"},
    {10, MYSQL_ANSWERS_RESULT, false, "PROCESS_INFO"},
    {12, MYSQL_ANSWERS_OK, false, "PROCESS_KILL"},
    {13, MYSQL_ANSWERS_OK, false, "DEBUG"},
    {MYSQL_CHANGE_USER, MYSQL_ANSWERS_LOGIN, false, "CHANGE_USER"},
    {18, MYSQL_ANSWERS_STREAM, false, "BINLOG_DUMP"},
    {19, MYSQL_ANSWERS_STREAM, false, "TABLE_DUMP"},
    {21, MYSQL_ANSWERS_OK, false, "REGISTER_SLAVE"},
    {27, MYSQL_ANSWERS_OK, false, "SET_OPTION"},
    {30, MYSQL_ANSWERS_STREAM, false, "BINLOG_DUMP_GTID"},
    {MYSQL_RESET_CONNECTION, MYSQL_ANSWERS_OK, false, "RESET_CONNECTION"},
};

const struct mysql_command *mysql_command(uint8_t code)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].code == code) {
            return &commands[i];
        }
    }
    return NULL;
}
