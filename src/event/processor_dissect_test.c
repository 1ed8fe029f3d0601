// SPDX-License-Identifier: Apache-2.0
#include "event/processor_stage.h"

#define DISSECT(tokenizer) "[{'dissect':{'field':'m','target_prefix':'','tokenizer':'" tokenizer "'}}]"
#define WITH(tokenizer, more)                                                                      \
    "[{'dissect':{'field':'m','target_prefix':'','tokenizer':'" tokenizer "'," more "}}]"
#define MISSED(text) "{'m':'" text "','log':{'flags':['dissect_parsing_error']}}"

static void keys_have_what_is_between(void **state)
{
    (void)state;
    turns(DISSECT("%{a} %{b}"), "{'m':'x y z'}", "{'m':'x y z','a':'x','b':'y z'}");
    turns(DISSECT("[%{a}] %{} %{b}!"), "{'m':'[x] y z!'}", "{'m':'[x] y z!','a':'x','b':'z'}");
    turns(DISSECT("%{a.b},%{c}"), "{'m':',y'}", "{'m':',y','a':{'b':''},'c':'y'}");
    turns(DISSECT("%{a} %{b}"), "{'m':'x '}", "{'m':'x ','a':'x','b':''}");
    turns("[{'dissect':{'tokenizer':'%{a}'}}]", "{'message':'x'}", "{'message':'x','dissect':{'a':'x'}}");
}

static void keys_have_marks(void **state)
{
    (void)state;
    turns(DISSECT("%{+a} %{b} %{+a}"), "{'m':'x y z'}", "{'m':'x y z','a':'x z','b':'y'}");
    turns(DISSECT("%{+a/2},%{+a/1}"), "{'m':'x,y'}", "{'m':'x,y','a':'y x'}");
    turns(DISSECT("%{?k}=%{&k}"), "{'m':'x=y'}", "{'m':'x=y','x':'y'}");
    turns(DISSECT("%{*k}=%{&k|long}"), "{'m':'x=42 '}", "{'m':'x=42 ','x':42}");
    turns(DISSECT("%{a->} %{b}"), "{'m':'x    y'}", "{'m':'x    y','a':'x','b':'y'}");
    turns(DISSECT("%{a} %{b}"), "{'m':'x  y'}", "{'m':'x  y','a':'x','b':' y'}");
    turns(DISSECT("%{a#2}%{b#1}%{c}"), "{'m':'xyz!'}", "{'m':'xyz!','a':'xy','b':'z','c':'!'}");
    turns(DISSECT("%{a|integer} %{b|double} %{c|boolean} %{d|ip} %{e|long}"),
          "{'m':'1 0.1 true ::1 x'}",
          "{'m':'1 0.1 true ::1 x','a':1,'b':0.1,'c':true,'d':'::1','e':'x'}");
}

static void what_does_not_fit_is_flagged(void **state)
{
    (void)state;
    turns(DISSECT("%{a},%{b}"), "{'m':'x y'}", MISSED("x y"));
    turns(DISSECT("<%{a}>"), "{'m':'x>'}", MISSED("x>"));
    turns(DISSECT("%{a}"), "{'m':''}", MISSED(""));
    turns(DISSECT("%{a#3}"), "{'m':'xy'}", MISSED("xy"));
    turns(DISSECT("%{a}"), "{'m':7}", "{'m':7}");
    turns(DISSECT("%{a}"), "{}", "{}");
}

static void what_is_there_stays(void **state)
{
    (void)state;
    turns(DISSECT("%{a} %{b}"), "{'m':'x y','b':0}", "{'m':'x y','b':0}");
    turns(WITH("%{a} %{b}", "'overwrite_keys':true"), "{'m':'x y','b':0}", "{'m':'x y','b':'y','a':'x'}");
    turns(DISSECT("%{a} %{b.c}"), "{'m':'x y','b':0}", "{'m':'x y','b':0}");
}

static void values_are_trimmed(void **state)
{
    (void)state;
    turns(WITH("%{a},%{b}", "'trim_values':'all'"), "{'m':' x , y '}", "{'m':' x , y ','a':'x','b':'y'}");
    turns(WITH("%{a},%{b}", "'trim_values':'left','trim_chars':' _'"), "{'m':'_ x_,y '}",
          "{'m':'_ x_,y ','a':'x_','b':'y '}");
}

static void tokenizers_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {DISSECT("x"), DISSECT("%{a"), DISSECT("%{a|word}"), DISSECT("%{a|}"),
                                      WITH("%{a}", "'trim_values':'both'")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        if (processors_new(quoted(bad[i]), NULL, NULL, &err) != NULL) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    node_reset(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_what_is_between),
        cmocka_unit_test(keys_have_marks),
        cmocka_unit_test(what_does_not_fit_is_flagged),
        cmocka_unit_test(what_is_there_stays),
        cmocka_unit_test(values_are_trimmed),
        cmocka_unit_test(tokenizers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
