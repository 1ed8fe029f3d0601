// SPDX-License-Identifier: Apache-2.0
#include "event/processor_stage.h"

#define TO(type) "[{'convert':{'fields':[{'from':'x','type':'" type "'}]}}]"

static void values_become_others(void **state)
{
    (void)state;
    turns(TO("integer"), "{'x':'0x1f'}", "{'x':31}");
    turns(TO("integer"), "{'x':'010'}", "{'x':10}");
    turns(TO("long"), "{'x':'-9223372036854775808'}", "{'x':-9223372036854775808}");
    turns(TO("long"), "{'x':2.9}", "{'x':2}");
    turns(TO("double"), "{'x':'0.1'}", "{'x':0.1}");
    turns(TO("float"), "{'x':'3.14159265'}", "{'x':3.1415927}");
    turns(TO("string"), "{'x':true}", "{'x':'true'}");
    turns(TO("boolean"), "{'x':'T'}", "{'x':true}");
    turns(TO("ip"), "{'x':'::ffff'}", "{'x':'::ffff'}");
}

static void values_that_are_none_stay(void **state)
{
    (void)state;
    turns(TO("integer"), "{'x':'2147483648'}", "{'x':'2147483648'}");
    turns(TO("long"), "{'x':'1.5'}", "{'x':'1.5'}");
    turns(TO("long"), "{'x':true}", "{'x':true}");
    turns(TO("long"), "{'x':''}", "{'x':''}");
    turns(TO("boolean"), "{'x':1}", "{'x':1}");
    turns(TO("ip"), "{'x':'1.2.3'}", "{'x':'1.2.3'}");
    turns(TO("double"), "{'x':'1e999'}", "{'x':'1e999'}");
    turns(TO("string"), "{'x':null}", "{'x':null}");
    turns(TO("string"), "{'x':[1]}", "{'x':[1]}");
}

#define BOTH(more)                                                                                 \
    "[{'convert':{'fields':[{'from':'x','to':'a','type':'long'},{'from':'y','type':'long'}]" more "}}]"

static void all_or_nothing(void **state)
{
    (void)state;
    turns(BOTH(""), "{'x':'1','y':'2'}", "{'x':'1','y':2,'a':1}");
    turns(BOTH(",'mode':'rename'"), "{'x':'1','y':'2'}", "{'y':2,'a':1}");
    turns(BOTH(""), "{'x':'1','y':'z'}", "{'x':'1','y':'z'}");
    turns(BOTH(""), "{'x':'1'}", "{'x':'1'}");
    turns(BOTH(",'ignore_missing':true"), "{'x':'1'}", "{'x':'1','a':1}");
    turns(BOTH(",'fail_on_error':false"), "{'x':'1','y':'z'}", "{'x':'1','y':'z','a':1}");
    turns("[{'convert':{'fields':[{'from':'o','to':'p'}]}}]", "{'o':{'a':1}}", "{'o':{'a':1},'p':{'a':1}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_others),
        cmocka_unit_test(values_that_are_none_stay),
        cmocka_unit_test(all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
