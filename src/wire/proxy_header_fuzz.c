// SPDX-License-Identifier: Apache-2.0
/* Any bytes: what is said of a beginning of them is said of more of them, too. */
#include "wire/proxy_header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t said = PROXY_HEADER_UNSURE;
    for (size_t n = 1; n <= size && n <= 2 * PROXY_HEADER_LINE; n++) {
        size_t now = proxy_header_size(span_of(data, n));
        require(said == PROXY_HEADER_UNSURE || now == said);
        require(now == PROXY_HEADER_UNSURE || now <= PROXY_HEADER_MAX);
        require(now != PROXY_HEADER_UNSURE || n < PROXY_HEADER_LINE);
        said = now;
    }
    return 0;
}
