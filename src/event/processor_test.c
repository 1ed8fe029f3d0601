// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/community.h"
#include "event/condition.h"
#include "event/networks.h"
#include "event/pattern.h"
#include "event/processor_stage.h"

#define EVENT                                                                                      \
    "{\"@timestamp\":\"2026-11-20T23:58:49.123Z\",\"type\":\"http\",\"code\":404,\"ip\":\"10.1.2.3\"," \
    "\"tags\":[\"a\",\"web\"],\"a\":{\"b\":\"Hello\",\"c\":null}}"

/* ---- Conditions ------------------------------------------------------------------------------ */

static bool holds(const char *condition)
{
    struct err err = {0};
    struct condition *c = condition_new(&tree, quoted(condition), &err);
    if (c == NULL) {
        fail_msg("%s: %s", condition, err.text);
    }
    bool ret = condition_holds(c, parse(EVENT));
    condition_free(c);
    return ret;
}

static void conditions_hold_or_not(void **state)
{
    static const char *const yes[] = {
        "{'equals':{'code':404}}", "{'equals':{'type':'http'}}", "{'equals':{'a':{'b':'Hello'}}}",
        "{'contains':{'a.b':'ell'}}", "{'contains':{'tags':'we'}}",
        "{'regexp':{'a.b':'^H\\\\w+$'}}", "{'regexp':{'ip':'^\\\\d+\\\\.1'}}",
        "{'regexp':{'a.b':'(?i)hello'}}", "{'regexp':{'type':'^(?:http|dns)$'}}",
        "{'range':{'code':{'gte':400,'lt':500}}}", "{'range':{'code.gt':403}}",
        "{'network':{'ip':'private'}}", "{'network':{'ip':['192.168.0.0/16','10.1.0.0/16']}}",
        "{'has_fields':['a.b','code']}", "{'not':{'equals':{'type':'dns'}}}",
        "{'or':[{'equals':{'code':1}},{'equals':{'code':404}}]}",
        "{'and':[{'equals':{'code':404}},{'not':{'has_fields':['x']}}]}",
        "{'equals':{'code':404},'contains':{'type':'tt'}}", "{'has_fields':'a.b'}",
        "{'regexp':{'a.b':'^[\\\\w]+?$'}}", "{'regexp':{'tags':'^we'}}", "{'range':{'code.lte':'404'}}",
    };
    static const char *const no[] = {
        "{'equals':{'code':'40'}}", "{'equals':{'code':'404'}}", "{'equals':{'tags':'web'}}",
        "{'contains':{'code':'40'}}", "{'regexp':{'code':'4'}}", "{'range':{'tags':{'gte':0}}}", "{'equals':{'x':1}}", "{'contains':{'code':'9'}}",
        "{'range':{'code':{'gte':400,'lt':404}}}", "{'range':{'type':{'gte':1}}}",
        "{'network':{'ip':'public'}}", "{'network':{'type':'private'}}", "{'has_fields':['a.b','x']}",
        "{'not':{'has_fields':['code']}}", "{'regexp':{'a.b':'^h'}}",
        "{'and':[{'equals':{'code':404}},{'equals':{'type':'dns'}}]}",
        "{'or':[{'equals':{'code':1}},{'equals':{'type':'dns'}}]}",
    };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (!holds(yes[i])) {
            fail_msg("does not hold: %s", yes[i]);
        }
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        if (holds(no[i])) {
            fail_msg("holds: %s", no[i]);
        }
    }
    node_reset(&tree);
}

static void conditions_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}", "{'equal':{'a':1}}", "{'equals':1}", "{'equals':{'a':[1]}}", "{'range':{'a':1}}",
        "{'range':{'a':{'gte':'x'}}}", "{'regexp':{'a':'('}}", "{'regexp':{'a':'(?=x)'}}",
        "{'network':{'a':'nowhere'}}", "{'has_fields':{'a':1}}", "{'and':1}", "{'not':[]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        assert_null(condition_new(&tree, quoted(bad[i]), &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
    node_reset(&tree);
}

/* ---- Processors ------------------------------------------------------------------------------- */

static void fields_come_and_go(void **state)
{
    becomes("[]", LEFT "}");
    becomes("[{'drop_event':null}]", "");
    becomes("[{'drop_event':{'when':{'equals':{'type':'u'}}}}]", LEFT "}");
    becomes("[{'drop_fields':{'fields':['a.b','type','zz']}}]",
            "{\"type\":\"t\",\"a\":{\"n\":7},\"l\":[1,2]}");
    becomes("[{'drop_fields':{'fields':['/^a\\\\.[a-m]/','/^type$/','/^l$/']}}]",
            "{\"type\":\"t\",\"a\":{\"n\":7}}");
    becomes("[{'drop_fields':{'fields':'a'}}]", "{\"type\":\"t\",\"l\":[1,2]}");
    turns("[{'drop_fields':{'fields':['/a/']}}]", "{'@timestamp':'t','@metadata':{'a':1},'xay':{'z':1}}",
          "{'@timestamp':'t','@metadata':{'a':1}}");
    turns("[{'include_fields':{'fields':['a.b','a','@timestamp']}}]",
          "{'@timestamp':'t','@metadata':{'m':1},'a':{'b':1,'c':2},'d':3}",
          "{'@timestamp':'t','@metadata':{'m':1},'a':{'b':1,'c':2}}");
    becomes("[{'include_fields':{'fields':['a.n']}}]", "{\"type\":\"t\",\"a\":{\"n\":7}}");
    becomes("[{'add_fields':{'fields':{'x':1}}}]", LEFT ",\"fields\":{\"x\":1}}");
    becomes("[{'add_fields':{'target':'','fields':{'a':{'c':1}}}}]",
            "{\"type\":\"t\",\"a\":{\"b\":\"x1\",\"n\":7,\"c\":1},\"l\":[1,2]}");
    turns("[{'add_labels':{'labels':{'n':1,'o':{'i':true},'l':['p',{'q':'r'}]}}}]", "{'labels':{'n':'0'}}",
          "{'labels':{'n':'1','o.i':'true','l.0':'p','l.1.q':'r'}}");
    turns("[{'add_fields':{'target':'@metadata','fields':{'op_type':'create'}}}]", "{'@metadata':{'v':1}}",
          "{'@metadata':{'v':1,'op_type':'create'}}");
    turns("[{'add_tags':{'tags':['p','q']}},{'add_tags':{'tags':'r','target':'more'}}]", "{'tags':'p'}",
          "{'tags':['p','p','q'],'more':['r']}");
    becomes("[{'append':{'target_field':'l','values':[3]}}]",
            "{\"type\":\"t\",\"a\":{\"b\":\"x1\",\"n\":7},\"l\":[1,2,3]}");
    becomes("[{'rename':{'fields':[{'from':'a.n','to':'c.d'}]}}]",
            "{\"type\":\"t\",\"a\":{\"b\":\"x1\"},\"l\":[1,2],\"c\":{\"d\":7}}");
    becomes("[{'rename':{'fields':[{'from':'no','to':'c'}]}}]",
            LEFT ",\"error\":{\"message\":\"rename: field 'no' is not there\"}}");
    becomes("[{'rename':{'ignore_missing':true,'fields':[{'from':'no','to':'c'}]}}]", LEFT "}");
    becomes("[{'copy_fields':{'fields':[{'from':'a.b','to':'c'}]}}]", LEFT ",\"c\":\"x1\"}");
    becomes("[{'move_fields':{'parent_path':'a','to':'z.'}}]",
            "{\"type\":\"t\",\"a\":{},\"l\":[1,2],\"z\":{\"b\":\"x1\",\"n\":7}}");
    becomes("[{'extract_array':{'field':'l','mappings':{'x':{'y':0},'w':1}}}]",
            LEFT ",\"x\":{\"y\":1},\"w\":2}");
    becomes("[{'if':{'equals':{'type':'t'}},'then':[{'add_tags':{'tags':'p'}}],"
            "'else':{'drop_event':{}}}]", LEFT ",\"tags\":[\"p\"]}");
    becomes("[{'if':{'equals':{'type':'u'}},'then':[],'else':{'drop_event':{}}}]", "");
}

#define AT(time) "[{'add_fields':{'target':'','fields':{'x':'" time "'}}},"

static void times_are_read(void **state)
{
    becomes(AT("20/Nov/2026:16:58:49 -0700") "{'timestamp':{'field':'x','layouts':['UNIX',"
            "'02/Jan/2006:15:04:05 -0700'],'test':['20/Nov/2026:16:58:49 -0700']}}]",
            LEFT ",\"x\":\"20/Nov/2026:16:58:49 -0700\",\"@timestamp\":\"2026-11-20T23:58:49.000Z\"}");
    becomes(AT("1795219129.5") "{'timestamp':{'field':'x','target_field':'x','layouts':['UNIX']}}]",
            LEFT ",\"x\":\"2026-11-20T23:58:49.500Z\"}");
    becomes("[{'timestamp':{'field':'a.b','layouts':['UNIX']}}]", LEFT "}");
    becomes("[{'timestamp':{'field':'no','layouts':['UNIX'],'ignore_missing':true}}]", LEFT "}");
    becomes("[{'timestamp':{'field':'a.b','layouts':['UNIX'],'ignore_failure':true}}]", LEFT "}");
    becomes(AT("1m30s") "{'decode_duration':{'field':'x','format':'seconds'}}]", LEFT ",\"x\":90}");
    becomes("[{'now':{'field':'x'}},{'if':{'regexp':{'x':'^20[0-9-]+T[0-9:.]+Z$'}},"
            "'then':[{'drop_fields':{'fields':['x']}}]}]", LEFT "}");
}

/* How many of ten events, 100 ms apart, pass; every second one has another "k". */
static unsigned passes(const char *list)
{
    struct err err = {0};
    unsigned count = 0;
    struct processors *all = processors_new(quoted(list), NULL, NULL, &err);
    assert_non_null(all);
    for (unsigned i = 0; i < 10; i++) {
        struct span json = node_format(
            &tree, "{\"@timestamp\":\"2026-11-20T23:58:49.%u00Z\",\"k\":%u}", i, i % 2);
        count += processors_run(all, &tree, node_json_parse(&tree, json));
    }
    processors_free(all);
    node_reset(&tree);
    return count;
}

static void rates_are_bounded(void **state)
{
    assert_int_equal(passes("[{'rate_limit':{'limit':'5/s'}}]"), 9); /* 5 at once, then 0.9 s of them */
    assert_int_equal(passes("[{'rate_limit':{'limit':'2/m'}}]"), 2);
    assert_int_equal(passes("[{'rate_limit':{'limit':'2/m','fields':['k']}}]"), 4);
    assert_int_equal(passes("[{'rate_limit':{'limit':'2/h','algorithm':{'token_bucket':"
                            "{'burst_multiplier':2}}}}]"), 4);
    assert_int_equal(passes("[{'rate_limit':{'limit':'36000/h'}}]"), 10);
}

static void domains_are_told(void **state)
{
    becomes(AT("www.Shop.example.co.uk.") "{'registered_domain':{'field':'x','target_field':'d.r',"
            "'target_etld_field':'d.e','target_subdomain_field':'d.s'}}]",
            LEFT ",\"x\":\"www.Shop.example.co.uk.\",\"d\":{\"r\":\"example.co.uk\",\"e\":\"co.uk\","
            "\"s\":\"www.Shop\"}}");
    becomes("[{'registered_domain':{'field':'no','target_field':'d','ignore_missing':true}}]", LEFT "}");
    becomes("[{'registered_domain':{'field':'a.b','target_field':'d'}}]", LEFT "}");
}

static void packed_texts_are_unpacked(void **state)
{
    struct err err = {0};
    static const uint8_t packed[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0xc8, 4,
                                     0,    0xac, 0x2a, 0x93, 0xd8, 2, 0, 0, 0};
    struct processors *all = processors_new(
        quoted("[{'decompress_gzip_field':{'field':{'from':'z','to':'t'}}}]"), NULL, NULL, &err);
    for (size_t size = 0; size <= sizeof packed; size++) {
        struct node *event = node_new(&tree, NODE_MAP, (struct span){0});
        node_append_named(event, span_str("z"), node_new(&tree, NODE_TEXT, span_of(packed, size)));
        assert_true(processors_run(all, &tree, event));
        const struct node *text = node_find(event, span_str("t"));
        assert_true(size == sizeof packed ? node_is(text, "hi") : text == NULL);
    }
    processors_free(all);
    node_reset(&tree);
}

static void texts_are_changed(void **state)
{
    becomes("[{'uppercase':{'values':['a.b']}},{'truncate_fields':{'fields':['a.b'],'max_bytes':1}}]",
            "{\"type\":\"t\",\"a\":{\"b\":\"X\",\"n\":7},\"l\":[1,2],"
            "\"log\":{\"flags\":[\"truncated\"]}}");
    becomes("[{'replace':{'fields':[{'field':'a.b','pattern':'[0-9]','replacement':'-'}]}}]",
            "{\"type\":\"t\",\"a\":{\"b\":\"x-\",\"n\":7},\"l\":[1,2]}");
    becomes("[{'convert':{'fields':[{'from':'a.n','to':'s','type':'string'},"
            "{'from':'a.n','type':'double'}]}}]",
            "{\"type\":\"t\",\"a\":{\"b\":\"x1\",\"n\":7},\"l\":[1,2],\"s\":\"7\"}");
    becomes("[{'dissect':{'field':'a.b','tokenizer':'x%{n}','target_prefix':'d'}}]",
            LEFT ",\"d\":{\"n\":\"1\"}}");
    becomes("[{'add_fields':{'target':'','fields':{'j':'{\\\"k\\\":[1]}'}}},"
            "{'decode_json_fields':{'fields':['j']}}]", LEFT ",\"j\":{\"k\":[1]}}");
    becomes("[{'decode_json_fields':{'fields':['a.b']}}]", LEFT "}");
    becomes("[{'decode_json_fields':{'fields':'a.b','add_error_key':true}}]",
            LEFT ",\"error\":{\"message\":\"decode_json_fields: field 'a.b' is no JSON\","
                 "\"data\":\"x1\",\"field\":\"a.b\"}}");
    becomes("[{'add_fields':{'target':'','fields':{'u':'a%20b+c','e':'aGk='}}},"
            "{'urldecode':{'fields':[{'from':'u','to':'u'}]}},"
            "{'decode_base64_field':{'field':{'from':'e','to':'e'}}}]",
            LEFT ",\"u\":\"a b c\",\"e\":\"hi\"}");
    becomes("[{'detect_mime_type':{'field':'a.b','target':'m'}}]",
            LEFT ",\"m\":\"text/plain; charset=utf-8\"}");
}

static void names_have_cases(void **state)
{
    turns("[{'lowercase':{'fields':['A.bC']}}]", "{'A':{'BC':{'D':1}},'X':2}", "{'a':{'bc':{'D':1}},'X':2}");
    turns("[{'uppercase':{'fields':['a.bc'],'alter_full_field':false}}]", "{'a':{'bc':1}}",
          "{'a':{'BC':1}}");
    turns("[{'lowercase':{'fields':['Type','@Timestamp','NO'],'ignore_missing':true}}]",
          "{'@timestamp':1,'type':'T'}", "{'@timestamp':1,'type':'T'}");
    turns("[{'uppercase':{'fields':['a','no'],'fail_on_error':false}}]", "{'a':1}", "{'A':1}");
    turns("[{'uppercase':{'fields':['a','no']}}]", "{'a':1}",
          "{\"a\":1,\"error\":{\"message\":\"uppercase: field 'no' is not there\"}}");
    turns("[{'lowercase':{'fields':['A'],'values':['a','l']}}]", "{'A':'XY','l':['U',1]}",
          "{'a':'xy','l':['u',1]}");
}

static void texts_fail_as_told(void **state)
{
    turns("[{'truncate_fields':{'fields':['no','n','x'],'max_characters':1}}]", "{'n':7,'x':'\xc3\xa9t'}",
          "{'n':7,'x':'\xc3\xa9','log':{'flags':['truncated']}}");
    turns("[{'truncate_fields':{'fields':['x','no'],'max_bytes':1,'fail_on_error':true}}]", "{'x':'ab'}",
          "{'x':'ab'}");
    turns("[{'replace':{'fields':[{'field':'x','pattern':'a','replacement':'b'},"
          "{'field':'x','pattern':'b','replacement':'c'}]}}]", "{'x':'ab'}", "{'x':'cc'}");
    turns("[{'replace':{'fields':[{'field':'x','pattern':'a','replacement':'b'},"
          "{'field':'no','pattern':'b','replacement':'c'}]}}]", "{'x':'ab'}",
          "{\"x\":\"ab\",\"error\":{\"message\":\"replace: field 'no' is not there\"}}");
    turns("[{'urldecode':{'fields':[{'from':'x','to':'y'}]}}]", "{'x':'50%'}",
          "{\"x\":\"50%\",\"error\":{\"message\":\"urldecode: field 'x' has a % that is no escape\"}}");
    turns("[{'decode_duration':{'field':'x','format':'seconds'}}]", "{'x':'soon'}", "{'x':'soon'}");
}

#define JSON(more) "[{'decode_json_fields':{'fields':['x']" more "}}]"

static void json_is_read(void **state)
{
    turns(JSON(",'target':''"), "{'x':'{\\'a\\':{\\'b\\':1},\\'type\\':\\'u\\'}','a':{'c':2},'type':'t'}",
          "{\"x\":\"{\\\"a\\\":{\\\"b\\\":1},\\\"type\\\":\\\"u\\\"}\",\"a\":{\"c\":2,\"b\":1},"
          "\"type\":\"t\"}");
    turns(JSON(",'target':'','overwrite_keys':true,'expand_keys':true"),
          "{'x':'{\\'a.c\\':1,\\'@timestamp\\':0,\\'type\\':7}','a':{'c':2},'type':'t'}",
          "{\"x\":\"{\\\"a.c\\\":1,\\\"@timestamp\\\":0,\\\"type\\\":7}\",\"a\":{\"c\":1},\"type\":\"t\"}");
    turns(JSON(""), "{'x':'[1]'}", "{'x':[1]}");
    turns(JSON(",'max_depth':2"), "{'x':'[1]'}", "{'x':'[1]'}");
    turns(JSON(",'max_depth':2,'process_array':true"), "{'x':'[\\'{}\\']'}", "{'x':[{}]}");
    turns(JSON(""), "{'x':'{} {}'}", "{'x':'{} {}'}");
    turns(JSON(",'document_id':'i','target':'t'"), "{'x':'{\\'i\\':\\'7\\',\\'j\\':1}'}",
          "{\"x\":\"{\\\"i\\\":\\\"7\\\",\\\"j\\\":1}\",\"@metadata\":{\"_id\":\"7\"},"
          "\"t\":{\"j\":1}}");
}

static void hosts_have_places(void **state)
{
    turns("[{'add_host_metadata':{'geo':{'city_name':'Oslo','location':'59.9, 10.7'},'name':'n'}}]",
          "{'host':{'name':'x'}}",
          "{'host':{'name':'n','ip':['10.0.0.1'],'geo':{'city_name':'Oslo','location':'59.9, 10.7'}}}");
    turns("[{'add_host_metadata':{'replace_fields':false}}]", "{'host':{'name':'x'}}",
          "{'host':{'name':'h','ip':['10.0.0.1']}}");
    turns("[{'add_host_metadata':{'replace_fields':false}}]", "{'host':{'name':'x','id':1}}",
          "{'host':{'name':'x','id':1}}");
    turns("[{'add_observer_metadata':{'cache.ttl':'5m'}}]", "{'observer':{'id':1}}", "{'observer':{'id':1}}");
}

static void facts_are_added(void **state)
{
    becomes("[{'add_host_metadata':{'netinfo':{'enabled':false}}},{'add_locale':null}]",
            LEFT ",\"host\":{\"name\":\"h\"},\"event\":{\"timezone\":\"CET\"}}");
    becomes("[{'add_fields':{'target':'','fields':{'source':{'ip':'192.168.1.1'},"
            "'destination':{'ip':'8.8.8.8'}}}},"
            "{'add_network_direction':{'internal_networks':['private']}}]",
            LEFT ",\"source\":{\"ip\":\"192.168.1.1\"},\"destination\":{\"ip\":\"8.8.8.8\"},"
                 "\"network\":{\"direction\":\"outbound\"}}");
}

static void lists_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}", "[1]", "[{}]", "[{'drop_event':null,'add_locale':null}]", "[{'nonsense':{}}]",
        "[{'drop_fields':{}}]", "[{'drop_event':{'wen':1}}]", "[{'drop_event':1}]",
        "[{'truncate_fields':{'fields':['a']}}]", "[{'rename':{'fields':[{}]}}]",
        "[{'convert':{'fields':[{'from':'a','type':'x'}]}}]", "[{'dissect':{'tokenizer':'x'}}]",
        "[{'replace':{'fields':[{'field':'a','pattern':'(','replacement':''}]}}]",
        "[{'if':{'equals':1}}]", "[{'add_fields':{}}]", "[{'drop_event':{'when':{}}}]",
        "[{'timestamp':{'field':'a'}}]", "[{'timestamp':{'layouts':['UNIX']}}]",
        "[{'timestamp':{'field':'a','layouts':['UNIX'],'timezone':'Europe/Atlantis'}}]",
        "[{'timestamp':{'field':'a','layouts':['UNIX'],'test':['x']}}]", "[{'now':{}}]",
        "[{'decode_duration':{'field':'a','format':'days'}}]", "[{'rate_limit':{}}]",
        "[{'rate_limit':{'limit':'0/s'}}]", "[{'rate_limit':{'limit':'1/d'}}]",
        "[{'rate_limit':{'limit':'1/s','algorithm':{'sliding_window':{}}}}]",
        "[{'registered_domain':{'field':'a'}}]", "[{'decompress_gzip_field':{}}]",
        "[{'script':{'lang':'javascript'}}]", "[{'drop_fields':{'fields':['/(/']}}]",
        "[{'replace':{'fields':[{'field':'a','pattern':'x*?','replacement':''}]}}]",
        "[{'add_host_metadata':{'geo':{'street':'x'}}}]", "[{'lowercase':{}}]",
        "[{'convert':{'mode':'move','fields':[{'from':'a'}]}}]",
        "[{'extract_array':{'field':'a','mappings':{'b':'x'}}}]",
        "[{'decode_json_fields':{'fields':['a'],'max_depth':0}}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        struct processors *all = processors_new(quoted(bad[i]), NULL, NULL, &err);
        if (all != NULL || err.code != ERR_USAGE) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    node_reset(&tree);
}

/* ---- Networks, patterns, Community ID ----------------------------------------------------------- */

static void networks_have_their_addresses(void **state)
{
    static const struct {
        const char *word;
        const char *address;
        bool is;
    } cases[] = {
        {"private", "172.31.0.1", true},      {"private", "172.32.0.1", false},
        {"private", "fd00::1", true},         {"public", "2001:db8::1", true},
        {"public", "127.0.0.1", false},       {"loopback", "::1", true},
        {"multicast", "239.1.1.1", true},     {"link_local_unicast", "fe80::1", true},
        {"link_local_multicast", "224.0.0.251", true}, {"unspecified", "0.0.0.0", true},
        {"unicast", "255.255.255.255", false}, {"interface_local_multicast", "ff01::1", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct networks_address address;
        assert_true(networks_address_read(span_str(cases[i].address), &address));
        assert_int_equal(networks_is(cases[i].word, &address), cases[i].is);
    }
    struct networks set = {0};
    struct err err = {0};
    assert_true(networks_add(&set, span_str("2001:db8::/33"), &err));
    assert_true(networks_add(&set, span_str("192.0.2.7"), &err));
    assert_false(networks_add(&set, span_str("192.0.2.0/33"), &err));
    struct networks_address a, b, c;
    assert_true(networks_address_read(span_str("2001:db8:7fff::1"), &a));
    assert_true(networks_address_read(span_str("2001:db8:8000::1"), &b));
    assert_true(networks_address_read(span_str("192.0.2.8"), &c));
    assert_true(networks_have(&set, &a));
    assert_false(networks_have(&set, &b));
    assert_false(networks_have(&set, &c));
}

static void patterns_are_filled_in(void **state)
{
    static const char *const cases[][2] = {
        {"x", "x"}, {"%{[type]}-%{+yyyy.MM.dd}", "http-2026.11.20"}, {"%{[no]:else}", "else"},
        {"%{[a.b]} %{[code]}%{[tags]}", "Hello 404[\"a\",\"web\"]"}, {"%{+HH:mm:ss}", "23:58:49"},
    };
    const struct node *event = parse(EVENT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json text;
        struct err err = {0};
        json_init(&text);
        assert_true(pattern_check(cases[i][0], &err));
        assert_true(pattern_write(&text, cases[i][0], event));
        json_append(&text, "", 1);
        assert_string_equal(text.data, cases[i][1]);
        json_done(&text);
    }
    struct json text;
    json_init(&text);
    assert_false(pattern_write(&text, "%{[no]}", event));
    json_done(&text);
    static const char *const bad[] = {"%{", "%{}", "%{[a}", "%{a}", "%{+}", "%{[a]x}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        assert_false(pattern_check(bad[i], &err));
    }
    node_reset(&tree);
}

/* Values of the specification's own examples. */
static void conversations_have_their_id(void **state)
{
    struct community id = {.protocol = 6, .source_port = 34855, .destination_port = 80};
    char text[COMMUNITY_ROOM], back[COMMUNITY_ROOM];
    networks_address_read(span_str("128.232.110.120"), &id.source);
    networks_address_read(span_str("66.35.250.204"), &id.destination);
    community_text(&id, text);
    assert_string_equal(text, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    struct community reverse = {.protocol = 6, .source = id.destination, .destination = id.source,
                                .source_port = 80, .destination_port = 34855};
    community_text(&reverse, back);
    assert_string_equal(back, text);
    struct community ping = {.protocol = 1, .source_port = 8};
    networks_address_read(span_str("192.168.0.89"), &ping.source);
    networks_address_read(span_str("192.168.0.1"), &ping.destination);
    community_text(&ping, text);
    assert_string_equal(text, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_hold_or_not),
        cmocka_unit_test(conditions_that_are_none_are_refused),
        cmocka_unit_test(fields_come_and_go),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(rates_are_bounded),
        cmocka_unit_test(domains_are_told),
        cmocka_unit_test(packed_texts_are_unpacked),
        cmocka_unit_test(texts_are_changed),
        cmocka_unit_test(names_have_cases),
        cmocka_unit_test(texts_fail_as_told),
        cmocka_unit_test(json_is_read),
        cmocka_unit_test(hosts_have_places),
        cmocka_unit_test(facts_are_added),
        cmocka_unit_test(lists_that_are_none_are_refused),
        cmocka_unit_test(networks_have_their_addresses),
        cmocka_unit_test(patterns_are_filled_in),
        cmocka_unit_test(conversations_have_their_id),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    node_done(&tree);
    return failed;
}
