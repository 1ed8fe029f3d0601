// SPDX-License-Identifier: Apache-2.0
#include "proto/proto.h"

const struct proto *proto_find(const char *name)
{
    for (const struct proto *const *proto = protos; *proto != NULL; proto++) {
        if (strcmp((*proto)->name, name) == 0) {
            return *proto;
        }
    }
    return NULL;
}
