// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "proto/dns/dns_record.h"
#include "proto/dns/dns_stage.h"
#include "proto/dns/dns_suffix.h"

#define BYTES(text) span_of(text, sizeof(text) - 1)

/* www.Example.com A, a response of two addresses with names that point to the question, and an OPT. */
static const char answer[] =
    "\x12\x34\x85\x80\0\1\0\2\0\0\0\1"
    "\3www\7Example\3com\0\0\1\0\1"
    "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\xc0\0\2\1"
    "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\xc0\0\2\2"
    "\0\0\x29\x04\xd0\1\0\x80\0\0\x0b\0\x08\0\7\0\1\x18\0\xc0\0\2";

static void reads_header_and_question(void **state)
{
    (void)state;
    struct dns_message m;
    assert_true(dns_message_read(BYTES(answer), &m));
    assert_int_equal(m.id, 0x1234);
    assert_true(dns_is_response(&m));
    assert_int_equal(dns_opcode(&m), DNS_QUERY);
    assert_int_equal(dns_rcode(&m), 0);
    assert_int_equal(m.counts[DNS_ANSWER], 2);
    assert_int_equal(m.question_type, DNS_A);
    assert_int_equal(m.question_class, 1);
    assert_false(dns_message_read(span_head(BYTES(answer), 11), &m));
    assert_false(dns_message_read(span_head(BYTES(answer), 20), &m));
}

static void expands_names(void **state)
{
    (void)state;
    struct dns_message m;
    struct dns_name name;
    assert_true(dns_message_read(BYTES(answer), &m));
    assert_true(dns_name_read(&m, m.question_name, true, &name));
    assert_true(span_equal(dns_name_text(&name), span_str("www.example.com")));
    assert_int_equal(name.labels, 3);
    assert_true(span_equal(dns_name_tail(&name, 2), span_str("example.com")));
    assert_true(span_equal(dns_name_tail(&name, 9), span_str("www.example.com")));
    struct dns_walk walk = dns_walk_of(&m);
    struct dns_record record;
    assert_true(dns_walk_next(&walk, &record));
    assert_true(dns_name_read(&m, record.name, false, &name));
    assert_true(span_equal(dns_name_text(&name), span_str("www.Example.com")));
}

static void escapes_names(void **state)
{
    (void)state;
    static const char bytes[] = "\0\1\0\0\0\1\0\0\0\0\0\0\10a.b\\\"\xff\x01 \0\0\1\0\1";
    struct dns_message m;
    struct dns_name name;
    assert_true(dns_message_read(BYTES(bytes), &m));
    assert_true(dns_name_read(&m, m.question_name, false, &name));
    assert_true(span_equal(dns_name_text(&name), span_str("a\\.b\\\\\\\"\\255\\001\\ ")));
    static const char root[] = "\0\1\0\0\0\1\0\0\0\0\0\0\0\0\2\0\1";
    assert_true(dns_message_read(BYTES(root), &m));
    assert_true(dns_name_read(&m, m.question_name, false, &name));
    assert_true(span_equal(dns_name_text(&name), span_str(".")));
}

/* Whether a name is one label of a byte, and then another name. */
static void check_behind(const struct dns_name *whole, const struct dns_name *name)
{
    assert_true(span_equal(span_skip(dns_name_text(whole), 2), dns_name_text(name)));
    assert_int_equal(whole->labels, name->labels + 1);
    for (unsigned i = 0; i < name->labels; i++) {
        assert_int_equal(whole->starts[i + 1], name->starts[i] + 2);
    }
}

/* A name at the front, and behind it a pointer to it; one behind a label; and one behind a label for which
 * all of it has to be read byte by byte. */
static void check_all_ways(const uint8_t *labels, size_t size)
{
    static const char pointers[] = "\0\1\0\1\xc0\x0c\1b\xc0\x0c\1!\xc0\x0c";
    uint8_t bytes[512] = {0, 1, 0, 0, 0, 1};
    memcpy(bytes + DNS_HEADER_BYTES, labels, size);
    size_t end = DNS_HEADER_BYTES + size + 1;
    memcpy(bytes + end, pointers, sizeof pointers - 1);
    for (unsigned lower = 0; lower < 2; lower++) {
        struct dns_message m;
        struct dns_name name, again;
        assert_true(dns_message_read_name(span_of(bytes, end + 4), lower, &m, &name));
        assert_int_equal(m.question_end, end + 4);
        m.bytes.size += sizeof pointers - 5;
        assert_int_equal(dns_name_expand(m.bytes, end + 4, lower, &again), end + 6);
        assert_true(span_equal(dns_name_text(&name), dns_name_text(&again)));
        assert_int_equal(name.labels, again.labels);
        assert_memory_equal(name.starts, again.starts, again.labels * sizeof *again.starts);
        for (size_t at = end + 6; at < m.bytes.size; at += 4) {
            assert_int_equal(dns_name_expand(m.bytes, at, lower, &again), at + 4);
            check_behind(&again, &name);
            assert_int_equal(again.is_plain, name.is_plain && bytes[at + 1] == 'b');
        }
    }
}

static void reads_names_as_it_reads_bytes(void **state)
{
    (void)state;
    uint8_t labels[128];
    for (unsigned first = 1; first <= 63; first++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(labels, 'a', sizeof labels);
            labels[0] = (uint8_t)first;
            labels[first] = (uint8_t)byte;
            labels[first + 1] = (uint8_t)(1 + byte % 63); /* digits and letters among lengths */
            check_all_ways(labels, 2 + first + labels[first + 1]);
        }
    }
}

/* Of `size` bytes, in `room` bytes of text: what fits, and nothing behind it. */
static void check_texts(const uint8_t *bytes, size_t size, size_t room)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char hex[128], base[128], data[128];
    size_t digits = 0, written = 0;
    for (size_t i = 0; i < size; i++) {
        digits += (size_t)snprintf(hex + digits, sizeof hex - digits, "%02X", bytes[i]);
    }
    for (size_t bit = 0; bit < 8 * size; bit += 6) {
        unsigned two = (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < size ? bytes[bit / 8 + 1] : 0);
        base[written++] = letters[two >> (10 - bit % 8) & 63];
    }
    for (; written % 4 != 0; written++) {
        base[written] = '=';
    }
    memset(data, 'x', sizeof data);
    struct dns_text t = dns_text_of(data, room);
    dns_text_hex(&t, span_of(bytes, size));
    assert_int_equal(t.full, digits > room);
    assert_true(span_equal(dns_text_since(&t, 0), span_of(hex, digits < room ? digits : room)));
    assert_int_equal(data[room], 'x');
    t = dns_text_of(data, room);
    dns_text_base64(&t, span_of(bytes, size));
    assert_int_equal(t.full, written > room);
    assert_true(span_equal(dns_text_since(&t, 0), span_of(base, written < room ? written : room)));
    assert_int_equal(data[room], 'x');
}

static void writes_bytes_as_text(void **state)
{
    (void)state;
    uint8_t bytes[31];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 149 + 9);
    }
    for (size_t size = 0; size <= sizeof bytes; size++) {
        for (size_t room = 0; room <= 2 * sizeof bytes + 1; room++) {
            check_texts(bytes, size, room);
        }
    }
    char data[8];
    struct dns_text t = dns_text_of(data, sizeof data);
    dns_text_low_hex(&t, BYTES("\x09\xaf\xf0"));
    assert_true(span_equal(dns_text_since(&t, 0), span_str("09aff0")));
}

static void refuses_names_that_lead_nowhere(void **state)
{
    (void)state;
    const struct {
        const char *what;
        struct span bytes;
    } names[] = {
        {"to itself", BYTES("\xc0\x0c")},
        {"forward", BYTES("\xc0\x0e\0")},
        {"into the header", BYTES("\xc0\x00")},
        {"around", BYTES("\1a\xc0\x0c")},
        {"half a pointer", BYTES("\xc0")},
        {"without an end", BYTES("\3abc")},
        {"a label of 64 bytes", BYTES("\x40" "0123456789012345678901234567890123456789012345678901234567890123\0")},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t bytes[128] = {0};
        memcpy(bytes + DNS_HEADER_BYTES, names[i].bytes.data, names[i].bytes.size);
        struct dns_message m = {.bytes = span_of(bytes, DNS_HEADER_BYTES + names[i].bytes.size)};
        struct dns_name name;
        if (dns_name_read(&m, DNS_HEADER_BYTES, false, &name)) {
            fail_msg("a name that leads %s", names[i].what);
        }
    }
}

static void walks_records(void **state)
{
    (void)state;
    struct dns_message m;
    struct dns_record record;
    assert_true(dns_message_read(BYTES(answer), &m));
    struct dns_walk walk = dns_walk_of(&m);
    assert_true(dns_walk_next(&walk, &record));
    assert_int_equal(record.type, DNS_A);
    assert_int_equal(record.ttl, 3600);
    assert_int_equal(record.size, 4);
    assert_int_equal(record.section, DNS_ANSWER);
    assert_true(dns_walk_next(&walk, &record));
    assert_true(dns_walk_next(&walk, &record));
    assert_int_equal(record.section, DNS_ADDITIONAL);
    assert_false(dns_walk_next(&walk, &record));
    assert_false(walk.bad);
    assert_int_equal(walk.at, sizeof answer - 1);
}

static void walks_no_further_than_it_can(void **state)
{
    (void)state;
    for (size_t size = 33; size < sizeof answer - 1; size++) {
        struct dns_message m;
        struct dns_record record;
        assert_true(dns_message_read(span_head(BYTES(answer), size), &m));
        struct dns_walk walk = dns_walk_of(&m);
        while (dns_walk_next(&walk, &record)) {
        }
        assert_true(walk.bad);
        assert_true(walk.cut);
    }
}

static void reads_edns(void **state)
{
    (void)state;
    struct dns_message m;
    struct dns_edns edns;
    assert_true(dns_message_read(BYTES(answer), &m));
    assert_true(dns_edns_read(&m, &edns));
    assert_true(edns.present && edns.dnssec_ok);
    assert_int_equal(edns.udp_size, 1232);
    assert_int_equal(edns.rcode_high, 1);
    assert_int_equal(edns.subnet.version, 4);
    assert_int_equal(edns.subnet.source, 24);
    assert_memory_equal(edns.subnet.bytes, "\xc0\0\2\0", 4);
}

static void compares_questions(void **state)
{
    (void)state;
    struct dns_message a, b;
    char other[sizeof answer];
    memcpy(other, answer, sizeof answer);
    assert_true(dns_message_read(BYTES(answer), &a));
    assert_true(dns_message_read(BYTES(other), &b));
    other[14] = 'W';
    assert_true(dns_same_question(&a, &b));
    other[14] = 'v';
    assert_false(dns_same_question(&a, &b));
    b.question_type = DNS_AAAA;
    assert_false(dns_same_question(&a, &b));
}

static void knows_its_own(void **state)
{
    (void)state;
    assert_int_equal(dns_looks_like(BYTES(answer), 0), DNS_YES);
    assert_int_equal(dns_looks_like(BYTES(answer), sizeof answer - 1), DNS_YES);
    assert_int_equal(dns_looks_like(BYTES("\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), 0), DNS_YES);
    assert_int_equal(dns_looks_like(span_head(BYTES(answer), 40), sizeof answer - 1), DNS_LIKELY);
    assert_int_equal(dns_looks_like(span_head(BYTES(answer), 20), sizeof answer - 1), DNS_SO_FAR);
    assert_int_equal(dns_looks_like(span_head(BYTES(answer), 5), sizeof answer - 1), DNS_SO_FAR);
    /* multicast DNS: two questions; an announcement */
    assert_int_equal(
        dns_looks_like(BYTES("\0\0\0\0\0\2\0\0\0\0\0\0\1a\0\0\x0c\x80\1\1b\0\0\x0c\0\1"), 0), DNS_YES);
    assert_int_equal(dns_looks_like(BYTES("\0\0\x84\0\0\0\0\1\0\0\0\0\1a\0\0\1\x80\1\0\0\0\1\0\4abcd"), 0),
                     DNS_YES);
}

static void claims_nothing_else(void **state)
{
    (void)state;
    static const uint8_t zeros[512];
    static const char netbios[] =
        "\x80\x01\1\x10\0\1\0\0\0\0\0\0 EMEBENEPFHCACACACACACACACACACAAA\0\0 \0\1";
    assert_int_equal(dns_looks_like(span_of(zeros, sizeof zeros), 0), DNS_NO);
    assert_int_equal(dns_looks_like(BYTES(netbios), 0), DNS_NO);
    uint64_t seed = 1;
    unsigned claimed = 0;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t bytes[64];
        for (unsigned k = 0; k < sizeof bytes; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
            bytes[k] = (uint8_t)(seed >> 56);
        }
        claimed += dns_looks_like(span_of(bytes, sizeof bytes), 0) >= DNS_LIKELY;
        /* ... and where the header would do */
        memcpy(bytes + 2, "\1\0\0\1\0\0\0\0\0\0", 10);
        claimed += dns_looks_like(span_of(bytes, sizeof bytes), 0) >= DNS_LIKELY;
    }
    assert_int_equal(claimed, 0);
    static const char *const others[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
        "REGISTER sip:example.test SIP/2.0\r\n", "\x16\x03\x01\x02\x01\x01\x01\x01\xfc\x03\x03 0123456789",
        "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
    };
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(dns_looks_like(span_str(others[i]), 0), DNS_NO);
        assert_int_equal(proto_dns.probe(span_str(others[i]), 0), PROTO_NO);
    }
}

static void splits_domains(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *registered, *suffix, *subdomain;
    } cases[] = {
        {"\3www\7example\3com\0", "example.com", "com", "www"},
        {"\1a\1b\7EXAMPLE\2co\2UK\0", "EXAMPLE.co.UK", "co.UK", "a.b"},
        {"\7example\4test\0", "example.test", "test", ""},
        {"\1x\6github\2io\0", "x.github.io", "github.io", ""},
        {"\2co\2uk\0", NULL, NULL, NULL},
        {"\4host\0", NULL, NULL, NULL},
        {"\0", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[64] = {0};
        memcpy(bytes + DNS_HEADER_BYTES, cases[i].bytes, strlen(cases[i].bytes) + 1);
        struct dns_message m = {.bytes = span_of(bytes, sizeof bytes)};
        struct dns_name name;
        struct dns_domain domain;
        assert_true(dns_name_read(&m, DNS_HEADER_BYTES, false, &name));
        assert_int_equal(dns_suffix_split(&name, &domain), cases[i].registered != NULL);
        if (cases[i].registered != NULL) {
            assert_true(span_equal(domain.registered, span_str(cases[i].registered)));
            assert_true(span_equal(domain.suffix, span_str(cases[i].suffix)));
            assert_true(span_equal(domain.subdomain, span_str(cases[i].subdomain)));
        }
    }
}

/* The most work that a byte can make: a chain of labels that every record points to the end of. */
static size_t make_bomb(uint8_t *bytes, size_t size)
{
    memset(bytes, 0, size);
    memcpy(bytes, "\0\1\x84\0\0\0\xff\xff\0\0\0\0", DNS_HEADER_BYTES);
    size_t at = DNS_HEADER_BYTES, last = 0;
    for (unsigned i = 0; i < DNS_LABELS_MAX - 1; i++) { /* one label, then a pointer to the one before */
        size_t here = at;
        bytes[at++] = 1;
        bytes[at++] = 0xff;
        bytes[at++] = (uint8_t)(i > 0 ? 0xc0 | last >> 8 : 0);
        bytes[at++] = (uint8_t)last;
        last = here;
    }
    size_t records = 0;
    for (; at + 14 <= size && records < 0x1fff; records++) {
        uint8_t *r = bytes + at;
        r[0] = (uint8_t)(0xc0 | last >> 8);
        r[1] = (uint8_t)last;
        memcpy(r + 2, "\0\2\0\1\0\0\0\0\0\2", 10);
        memcpy(r + 12, r, 2);
        at += 14;
    }
    return at;
}

static void bombs_cost_little(void **state)
{
    (void)state;
    static uint8_t bytes[65000];
    size_t size = make_bomb(bytes, sizeof bytes);
    static struct stage s;
    stage_init(&s);
    uint64_t start = stage_clock();
    for (unsigned i = 0; i < 4; i++) {
        stage_datagram(&s, 1, span_of(bytes, size), size, 1);
    }
    uint64_t spent = stage_clock() - start;
    free(stage_done(&s, PROTO_CLOSED));
    assert_true(spent / 4 / size < 2000); /* ns a byte, with sanitizers; without, it is some 10 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_header_and_question),
        cmocka_unit_test(expands_names),
        cmocka_unit_test(escapes_names),
        cmocka_unit_test(reads_names_as_it_reads_bytes),
        cmocka_unit_test(writes_bytes_as_text),
        cmocka_unit_test(refuses_names_that_lead_nowhere),
        cmocka_unit_test(walks_records),
        cmocka_unit_test(walks_no_further_than_it_can),
        cmocka_unit_test(reads_edns),
        cmocka_unit_test(compares_questions),
        cmocka_unit_test(knows_its_own),
        cmocka_unit_test(claims_nothing_else),
        cmocka_unit_test(splits_domains),
        cmocka_unit_test(bombs_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
