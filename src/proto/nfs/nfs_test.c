// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/nfs/nfs_message.h"
#include "proto/nfs/nfs_name.h"
#include "proto/nfs/nfs_event.h"
#include "proto/proto_stage.h"

extern const struct proto proto_nfs;

enum { LOG_ROOM = 1 << 18 };

enum { CLIENT = 0, SERVER = 1 };

#define BYTES(text) span_of(text, sizeof(text) - 1)
#define Z4 "\0\0\0\0"
#define U(n) "\0\0\0" n
/* A call of program 100003; without credentials: 40 bytes. */
#define CALL(xid, version, procedure)                                                              \
    U(xid) Z4 U("\x02") "\x00\x01\x86\xa3" U(version) U(procedure) Z4 Z4 Z4 Z4
/* An accepted reply with a status: 28 bytes. */
#define REPLY(xid, status) U(xid) U("\x01") Z4 Z4 Z4 Z4 U(status)
#define LAST(size) "\x80\0\0" size
#define MORE(size) "\0\0\0" size

struct line {
    unsigned side;
    struct span bytes;
    uint32_t gap; /* instead */
};

/* Plays in all segmentations: all say the same. */
static struct nfs_stats play(const struct line *lines, unsigned count, char *said, size_t room,
                             bool unmatched)
{
    struct proto_settings settings;
    proto_options_default(&proto_nfs, &settings);
    settings.report_unmatched = unmatched;
    struct nfs_stats stats = {0};
    static struct stage s;
    for (size_t piece = 1; piece < 50; piece++) {
        stage_init(&s, &proto_nfs, &settings, 1000, LOG_ROOM);
        for (unsigned i = 0; i < count; i++) {
            stage_say(&s, lines[i].side, lines[i].bytes, piece < 49 ? piece : SIZE_MAX);
            stage_gap(&s, lines[i].side, lines[i].gap);
        }
        stage_close(&s, PROTO_CLOSED);
        assert_true(s.said.size <= room);
        assert_true(piece == 1 || memcmp(said, s.said.data, s.said.size) == 0);
        assert_true(piece == 1 || memcmp(&stats, s.block, sizeof stats) == 0);
        memcpy(said, s.said.data, s.said.size);
        memcpy(&stats, s.block, sizeof stats);
        stage_done(&s);
    }
    return stats;
}

static void sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&nfs_event_type, &err));
    assert_true(metric_set_check(&nfs_set, &err));
    assert_string_equal(nfs_operation3(3), "LOOKUP");
    assert_null(nfs_operation3(22));
    assert_string_equal(nfs_operation4(71), "CLONE");
    assert_null(nfs_operation4(2));
    assert_null(nfs_operation4(10044));
    assert_string_equal(nfs_status_name(0), "NFS_OK");
    assert_string_equal(nfs_status_name(10094), "NFS4ERR_OFFLOAD_NO_REQS");
    assert_null(nfs_status_name(3));
}

static void probes(void **state)
{
    (void)state;
    struct span call = BYTES(LAST("\x28") CALL("\x07", "\x03", "\x03"));
    for (size_t size = 0; size < RPC_LOOK; size++) {
        assert_int_equal(proto_nfs.probe(span_head(call, size), 0), PROTO_UNSURE);
    }
    assert_int_equal(proto_nfs.probe(call, 0), PROTO_YES);
    assert_int_equal(proto_nfs.probe(span_skip(call, RPC_MARK), 0), PROTO_YES);
    assert_int_equal(proto_nfs.probe(BYTES(LAST("\x28") CALL("\x07", "\x02", "\x03")), 0),
                     PROTO_NO);
    assert_int_equal(proto_nfs.probe(BYTES("GET / HTTP/1.1\r\nHost: example\r\n\r\n"), 0),
                     PROTO_NO);
}

/* Replies come in any order; fragments are joined. */
static void matched(void **state)
{
    (void)state;
    const struct line lines[] = {
        {CLIENT, BYTES(LAST("\x28") CALL("\x07", "\x03", "\x03")), 0},
        {CLIENT,
         BYTES(
             MORE("\x0a") "\0\0\0\x08\0\0\0\0\0\0" LAST("\x1e") "\0\x02\x00\x01\x86\xa3"
                                                                "\0\0\0\x03\0\0\0\x01" Z4 Z4 Z4 Z4),
         0},
        {SERVER, BYTES(LAST("\x1c") REPLY("\x08", "\x00")), 0},
        {SERVER, BYTES(LAST("\x1c") REPLY("\x07", "\x02")), 0},
        {CLIENT, BYTES(LAST("\x28") CALL("\x09", "\x03", "\x00")), 0},
    };
    char said[20000];
    struct nfs_stats stats = play(lines, 5, said, sizeof said, false);
    assert_int_equal(stats.transactions, 2);
    assert_int_equal(stats.unanswered, 1);
    assert_int_equal(stats.malformed, 0);
    assert_non_null(strstr(said, "\"opcode\":\"GETATTR\",\"status\":\"NFS_OK\""));
    assert_non_null(strstr(said, "\"opcode\":\"LOOKUP\",\"status\":\"NFSERR_NOENT\""));
    assert_non_null(strstr(said, "\"status\":\"NO_REPLY\""));
    assert_non_null(strstr(said, "\"xid\":\"00000007\""));
}

/* PUTROOTFH, GETFH, then what is done. */
static void compounds(void **state)
{
    (void)state;
    const struct line lines[] = {
        {CLIENT,
         BYTES(LAST("\x44") CALL("\x07", "\x04", "\x01") U("\x01") "t\0\0\0" U("\x02") U("\x03")
                   U("\x18") U("\x0a") U("\x47")),
         0},
        {SERVER, BYTES(LAST("\x14") U("\x07") U("\x01") U("\x01") U("\x01") U("\x05")), 0},
    };
    char said[20000];
    struct nfs_stats stats = play(lines, 2, said, sizeof said, false);
    assert_int_equal(stats.transactions, 1);
    assert_int_equal(stats.errors, 1);
    assert_non_null(strstr(said, "\"nfs\":{\"minor_version\":2,\"opcode\":\"CLONE\",\"tag\":\"t\","
                                 "\"version\":4}"));
    assert_non_null(strstr(said, "\"status\":\"authentication error\""));
}

/* Behind a hole the next message is found; what was in it is told. */
static void holes(void **state)
{
    (void)state;
    const struct line lines[] = {
        {CLIENT, BYTES(LAST("\x28") CALL("\x07", "\x03", "\x03")), 0},
        {CLIENT, BYTES(LAST("\x28") CALL("\x08", "\x03", "\x04")), 0},
        {SERVER, {0}, 32},
        {SERVER, BYTES("xyz" LAST("\x1c") REPLY("\x08", "\x00")), 0},
        {SERVER, BYTES(LAST("\x1c") REPLY("\x63", "\x00")), 0},
    };
    char said[20000];
    struct nfs_stats stats = play(lines, 5, said, sizeof said, true);
    assert_int_equal(stats.gaps, 1);
    assert_int_equal(stats.transactions, 1);
    assert_int_equal(stats.unmatched, 1);
    assert_non_null(strstr(said, "\"reason\":\"gap\""));
    assert_non_null(strstr(said, "Unmatched response"));
    assert_non_null(strstr(said, "\"opcode\":\"ACCESS\",\"status\":\"NFS_OK\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_tables), cmocka_unit_test(probes), cmocka_unit_test(matched),
        cmocka_unit_test(compounds),    cmocka_unit_test(holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
