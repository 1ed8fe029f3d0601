// SPDX-License-Identifier: Apache-2.0
/* Short ways through RESP: what is whole in the bytes at hand, as most is, is read at once, and leaves reader
 * and text as all the steps of redis_resp.c would. Pure. */
#pragma once

#include "proto/redis/redis_resp.h"

enum redis_quick {
    REDIS_QUICK_NOTHING, /* taken: the steps have to */
    REDIS_QUICK_VALUE,   /* is read, and written: it ends here */
    REDIS_QUICK_ARRAY,   /* begins: its type and count are read */
};

/* At the type of a value; at least one byte is there. May take several values of an array before the one
 * that it speaks of. */
enum redis_quick redis_quick_read(struct resp_reader *r, struct cursor *c, struct resp_text *text);
