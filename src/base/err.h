// SPDX-License-Identifier: Apache-2.0
/* Failures of the environment (a file, a socket, a configuration): one code and one sentence that
 * names the place and the remedy. Only cold paths use it; hostile input is a value, not an err.
 * Rooms fill it in; only cmd/ and engine/ print it. The code is the process's exit status. */
#pragma once

#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_FAILED = 1,      /* the work could not be done */
    ERR_USAGE = 2,       /* bad usage or configuration */
    ERR_PERMISSION = 77, /* a right is missing (EX_NOPERM) */
};

struct err {
    enum err_code code;
    char text[1024];
};

/* Fills in `err` (which may be NULL) by a printf format and returns false, so that a failing
 * function can end with `return err_set(...)`. The first failure stays: a filled err is kept. */
__attribute__((format(printf, 3, 4))) bool err_set(struct err *err, enum err_code code,
                                                   const char *format, ...);
