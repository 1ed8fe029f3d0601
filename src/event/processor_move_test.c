// SPDX-License-Identifier: Apache-2.0
#include "event/processor_stage.h"

#define SAYS(what) "\"error\":{\"message\":\"" what "\"}"

static void a_name_goes_where_nothing_is(void **state)
{
    (void)state;
    turns("[{'rename':{'fields':[{'from':'x','to':'y'}]}}]", "{'x':1}", "{'y':1}");
    turns("[{'rename':{'fields':[{'from':'x.y','to':'x.y.z'}]}}]", "{'x.y':1}", "{'x':{'y':{'z':1}}}");
    turns("[{'rename':{'fields':[{'from':'x','to':'x.value'}]}}]", "{'x':1,'x.b':2}",
          "{'x.b':2,'x':{'value':1}}");
    turns("[{'rename':{'fields':[{'from':'y','to':'z'},{'from':'x','to':'y'}]}}]", "{'x':1,'y':2}",
          "{'z':2,'y':1}");
    turns("[{'rename':{'fields':[{'from':'x','to':'x.value'},{'from':'y','to':'x.y'}]}}]",
          "{'x':1,'y':2}", "{'x':{'value':1,'y':2}}");
    turns("[{'rename':{'fields':[{'from':'@metadata.x','to':'@metadata.y'}]}}]",
          "{'@metadata':{'x':1}}", "{'@metadata':{'y':1}}");
}

static void a_rename_that_fails_undoes_all(void **state)
{
    (void)state;
    turns("[{'rename':{'fields':[{'from':'x','to':'y'}]}}]", "{'x':1,'y':2}",
          "{\"x\":1,\"y\":2," SAYS("rename: field 'y' is there already: drop it or rename it first") "}");
    turns("[{'rename':{'fields':[{'from':'x','to':'n'},{'from':'no','to':'m'}]}}]", "{'x':1}",
          "{\"x\":1," SAYS("rename: field 'no' is not there") "}");
    turns("[{'rename':{'fields':[{'from':'y','to':'x.y'},{'from':'x','to':'x.v'}]}}]", "{'x':1,'y':2}",
          "{\"x\":1,\"y\":2," SAYS("rename: field 'x.y' would be within a field that is no object") "}");
    turns("[{'rename':{'fields':[{'from':'y','to':'x.y'},{'from':'x','to':'x.v'}],"
          "'fail_on_error':false}}]", "{'x':1,'y':2}", "{'y':2,'x':{'v':1}}");
    turns("[{'rename':{'fields':[{'from':'@timestamp','to':'t'}],'fail_on_error':false}}]",
          "{'@timestamp':'x'}", "{'@timestamp':'x'}");
    turns("[{'rename':{'fields':[{'from':'no','to':'y'},{'from':'x','to':'z'}],'ignore_missing':true}}]",
          "{'x':1}", "{'z':1}");
    turns("[{'rename':{'fields':[{'from':'no','to':'x'}],'ignore_missing':true}}]", "{'x':1}",
          "{\"x\":1," SAYS("rename: field 'x' is there already: drop it or rename it first") "}");
    turns("[{'rename':{'fields':[{'from':'no','to':'y'}]}},{'add_tags':{'tags':'on'}}]",
          "{'error':{'message':'old'}}",
          "{\"error\":{\"message\":\"rename: field 'no' is not there\"},\"tags\":[\"on\"]}");
}

static void a_branch_ends_where_it_fails(void **state)
{
    (void)state;
    turns("[{'if':{'has_fields':['x']},'then':[{'convert':{'fields':[{'from':'no'}]}},"
          "{'add_tags':{'tags':'inner'}}]},{'add_tags':{'tags':'outer'}}]",
          "{'x':1}", "{'x':1,'tags':['outer']}");
}

static void copies_are_whole(void **state)
{
    (void)state;
    turns("[{'copy_fields':{'fields':[{'from':'x','to':'y.z'}]}}]", "{'x':{'a':[1]}}",
          "{'x':{'a':[1]},'y':{'z':{'a':[1]}}}");
    turns("[{'copy_fields':{'fields':[{'from':'x','to':'w'},{'from':'x','to':'y'}]}}]",
          "{'x':1,'y':2}",
          "{\"x\":1,\"y\":2," SAYS("copy_fields: field 'y' is there already: drop it or rename it first") "}");
    turns("[{'copy_fields':{'fields':[{'from':'x','to':'y.z'}],'fail_on_error':false}}]",
          "{'x':1,'y':2}", "{'x':1,'y':2}");
}

static void objects_are_emptied(void **state)
{
    (void)state;
    turns("[{'move_fields':{'from':'a','to':'b.','exclude':['y']}}]", "{'a':{'x':1,'y':2}}",
          "{'a':{'y':2},'b':{'x':1}}");
    turns("[{'move_fields':{'from':'a','fields':['x','no'],'to':'','ignore_missing':true}}]",
          "{'a':{'x':1,'y':2}}", "{'a':{'y':2},'x':1}");
    turns("[{'move_fields':{'from':'a','fields':['x','no'],'to':''}}]", "{'a':{'x':1}}", "{'a':{'x':1}}");
    turns("[{'move_fields':{'to':'all.'}}]", "{'@timestamp':'t','@metadata':{'m':1},'x':1}",
          "{'@timestamp':'t','@metadata':{'m':1},'all':{'x':1}}");
}

static void lists_grow(void **state)
{
    (void)state;
    turns("[{'append':{'target_field':'t','fields':['l','x'],'values':['v',null]}}]",
          "{'x':'','l':[1,'',2]}", "{'x':'','l':[1,'',2],'t':[1,'',2,'','v',null]}");
    turns("[{'append':{'target_field':'t','fields':['l','x'],'values':['v',null],"
          "'ignore_empty_values':true,'allow_duplicate':false}}]",
          "{'x':'','l':[1,'',2],'t':2}", "{'x':'','l':[1,'',2],'t':[2,1,'v']}");
    turns("[{'append':{'target_field':'t','fields':['x','no']}}]", "{'x':1,'t':[0]}",
          "{\"x\":1,\"t\":[0]," SAYS("append: field 'no' is not there") "}");
    turns("[{'append':{'target_field':'t','fields':['no','x'],'ignore_missing':true}}]", "{'x':1}",
          "{'x':1,'t':[1]}");
}

#define EXTRACT(more) "[{'extract_array':{'field':'l','mappings':{'x':{'y':0},'w':2}" more "}}]"

static void items_get_names(void **state)
{
    (void)state;
    turns(EXTRACT(""), "{'l':[1,2,{'a':3}]}", "{'l':[1,2,{'a':3}],'x':{'y':1},'w':{'a':3}}");
    turns(EXTRACT(""), "{'l':[1]}", "{'l':[1]}");
    turns(EXTRACT(",'fail_on_error':false"), "{'l':[1]}", "{'l':[1],'x':{'y':1}}");
    turns(EXTRACT(""), "{'l':[1,2,3],'w':0}", "{'l':[1,2,3],'w':0}");
    turns(EXTRACT(",'overwrite_keys':true"), "{'l':[1,2,3],'w':0}", "{'l':[1,2,3],'w':3,'x':{'y':1}}");
    turns(EXTRACT(",'omit_empty':true"), "{'l':['',2,3]}", "{'l':['',2,3],'w':3}");
    turns(EXTRACT(""), "{'l':1}", "{'l':1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_goes_where_nothing_is),
        cmocka_unit_test(a_rename_that_fails_undoes_all),
        cmocka_unit_test(a_branch_ends_where_it_fails),
        cmocka_unit_test(copies_are_whole),
        cmocka_unit_test(objects_are_emptied),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(items_get_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
