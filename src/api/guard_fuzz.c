// SPDX-License-Identifier: Apache-2.0
/* Headers of strangers: three lines are Host, Origin and Authorization. What is trusted must have a
 * host that an independent look calls ours. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "api/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Without a token a name with a letter beyond hexadecimal digits must be localhost. */
static bool is_plausible(const char *host)
{
    return strcasestr(host, "localhost") != NULL ||
           strspn(host, "0123456789abcdefABCDEF.:[]") == strlen(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024] = {0};
    memcpy(text, data, size < sizeof(text) - 1 ? size : sizeof(text) - 1);
    char *rest = text;
    const char *host = strsep(&rest, "\n");
    const char *origin = strsep(&rest, "\n");
    const char *authorization = strsep(&rest, "\n");
    struct guard guard;
    const char *why = NULL;
    guard_init(&guard, "127.0.0.1:10853", "");
    struct guard_request request = {.version = "HTTP/1.1", .host = host, .origin = origin};
    if (guard_trusts(&guard, &request, &why)) {
        assert(is_plausible(host));
        assert(origin == NULL || strcasestr(origin, host) != NULL);
    } else {
        assert(why != NULL);
    }
    guard_init(&guard, "127.0.0.1:10853", "secret");
    if (guard_admits(&guard, authorization)) {
        assert(strcmp(strchr(authorization, ' ') + 1, "secret") == 0);
    }
    return 0;
}
