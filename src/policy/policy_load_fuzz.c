// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policies_options options = {.slots = 1, .is_recorded = true};
    struct policies *set = policies_new(&options);
    struct err err = {0};
    char name[160];
    policies_load_text(set, span_of(data, size), POLICIES_ALL, name, &err);
    policies_free(set);
    return 0;
}
