// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handler/route.h"

static void assert_route(const char *path, const char *route)
{
    char to[ROUTE_ROOM];
    size_t size = route_of(span_str(path), to);
    assert_true(size < ROUTE_ROOM);
    to[size] = '\0';
    assert_string_equal(to, route);
}

static void ids_collapse(void **state)
{
    (void)state;
    assert_route("/orders/42/items", "/orders/{id}/items");
    assert_route("/users/123e4567-e89b-12d3-a456-426614174000", "/users/{id}");
    assert_route("/blobs/DEADBEEF01", "/blobs/{id}");
    assert_route("/t/eyJhbGciOiJIUzI1NiIsInR5cCI", "/t/{id}"); /* a token */
}

static void words_stay(void **state)
{
    (void)state;
    assert_route("/api/v1/feedface", "/api/v1/feedface"); /* hexadecimal, but no digit */
    assert_route("/a1b2c3", "/a1b2c3");                   /* too short */
    assert_route("/a-rather-long-title-of-an-article", "/a-rather-long-title-of-an-article");
}

static void what_is_no_path_goes(void **state)
{
    (void)state;
    assert_route("", "/");
    assert_route("/", "/");
    assert_route("//a//b/", "/a/b");
    assert_route("/a;session=1/b?x=/1#y", "/a/b");
    assert_route("*", "/*");
    assert_route("/1/2/3/4/5/6/7/8", "/{id}/{id}/{id}/{id}/{id}/{id}/...");
}

static void long_ones_are_cut(void **state)
{
    (void)state;
    char path[300], to[ROUTE_ROOM];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    assert_int_equal(route_of(span_of(path, sizeof path), to), ROUTE_ROOM - 1);
    memset(path, '/', sizeof path);
    assert_int_equal(route_of(span_of(path, sizeof path), to), 1);
    memset(path, 0, sizeof path);
    assert_int_equal(route_of(span_of(path, sizeof path), to), ROUTE_ROOM - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_collapse),
        cmocka_unit_test(words_stay),
        cmocka_unit_test(what_is_no_path_goes),
        cmocka_unit_test(long_ones_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
