// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "handler/dns_names.h"

struct seen {
    uint64_t total, by_side[2];
    bool had_long;
};

static void on_leave(void *context, const struct dns_names_item *item)
{
    struct seen *seen = context;
    seen->total += item->count;
    seen->by_side[item->side] += item->count;
    seen->had_long |= item->name.size > DNS_NAMES_TEXT;
    assert_true(span_equal(item->two, span_str(".example.com")));
    assert_memory_equal(item->name.data + item->name.size - item->two.size, item->two.data,
                        item->two.size);
    assert_true(item->three.size > item->two.size && item->three.data[0] == '.');
}

static unsigned on_suffix(void *context, struct dns_read *dns)
{
    (void)context;
    (void)dns;
    return 1;
}

static void name_message(struct dns_read *dns, unsigned number, unsigned width)
{
    uint8_t bytes[512] = {0, 1, 0, 0, 0, 1};
    char label[64];
    uint8_t *at = bytes + DNS_HEADER_BYTES;
    snprintf(label, sizeof label, "%0*u", (int)width, number);
    const char *labels[] = {label, label, "example", "com"};
    for (unsigned i = 0; i < 4; i++) {
        *at++ = (uint8_t)strlen(labels[i]);
        at = mempcpy(at, labels[i], strlen(labels[i]));
    }
    assert_true(dns_reader.read(span_of(bytes, (size_t)(at - bytes) + 5), dns));
}

static void nothing_is_lost(void **state)
{
    (void)state;
    struct dns_names *names = calloc(1, sizeof *names);
    struct dns_read *dns = calloc(1, sizeof *dns);
    struct seen seen = {0};
    struct dns_names_user user = {on_leave, on_suffix, &seen};
    for (unsigned i = 0; i < 20000; i++) {
        name_message(dns, i % 3000, i % 7 == 0 ? 50 : 6);
        dns_names_add(names, dns, i % 4 == 0, &user);
    }
    dns_names_fold(names, &user);
    assert_int_equal(seen.total, 20000);
    assert_int_equal(seen.by_side[1], 5000);
    assert_true(seen.had_long);
    free(dns);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
