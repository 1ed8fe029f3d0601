// SPDX-License-Identifier: Apache-2.0
/* What can be said of bytes that may be a protocol's, from what there is of them. */
#pragma once

enum proto_guess {
    PROTO_NO,
    PROTO_UNSURE, /* cannot be told from so few bytes */
    PROTO_YES,
};
