// SPDX-License-Identifier: Apache-2.0
#include "tap/pcapwrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tap/pcap_reader.h"
#include "tap/tap.h"

static char folder[] = "/tmp/pcapwrite_test_XXXXXX";

static uint8_t file_bytes[1 << 20];
static struct frame read_frames[64];
static uint32_t read_count;

static const char *path(const char *name)
{
    static char ret[256];
    snprintf(ret, sizeof ret, "%s/%s", folder, name);
    return ret;
}

static void read_back(const char *name)
{
    FILE *file = fopen(path(name), "rb");
    assert_non_null(file);
    struct span bytes = span_of(file_bytes, fread(file_bytes, 1, sizeof file_bytes, file));
    fclose(file);
    struct pcap_reader reader;
    pcap_reader_init(&reader, 0);
    assert_int_equal(pcap_reader_feed(&reader, &bytes, read_frames, 64, &read_count),
                     PCAP_READER_MORE);
    assert_int_equal(pcap_reader_end(&reader, bytes), PCAP_READER_MORE);
    pcap_reader_done(&reader);
}

static void write_all(const char *name, const struct frame *frames, uint32_t count)
{
    struct err err = {0};
    struct pcapwrite *writer = pcapwrite_open(path(name), PCAPWRITE_BY_NAME, &err);
    assert_non_null(writer);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(pcapwrite_frame(writer, &frames[i], &err));
    }
    assert_true(pcapwrite_close(writer, &err));
}

static void assert_same_frame(const struct frame *a, const struct frame *b)
{
    assert_int_equal(a->time_ns, b->time_ns);
    assert_int_equal(a->cap_len, b->cap_len);
    assert_int_equal(a->wire_len, b->wire_len);
    assert_int_equal(a->link, b->link);
    assert_memory_equal(a->data, b->data, a->cap_len);
}

static void example(struct frame frames[3])
{
    static uint8_t bytes[TAP_FRAME_MAX];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    frames[0] = (struct frame){.time_ns = 1700000000123456789, .data = bytes, .cap_len = 61,
                               .wire_len = 1514, .link = 1, .comment = span_str("why not")};
    frames[1] = (struct frame){.time_ns = 5, .data = bytes + 1, .cap_len = TAP_FRAME_MAX - 1,
                               .wire_len = TAP_FRAME_MAX, .link = 1, .interface = 8,
                               .direction = FRAME_DIRECTION_OUT};
    frames[2] = (struct frame){.time_ns = 1, .data = bytes, .cap_len = 0, .wire_len = 9, .link = 1};
}

static void test_pcap(void **state)
{
    struct frame frames[3];
    example(frames);
    write_all("a.pcap", frames, 3);
    read_back("a.pcap");
    assert_int_equal(read_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_same_frame(&read_frames[i], &frames[i]);
    }
}

static void test_pcapng(void **state)
{
    struct frame frames[3];
    example(frames);
    frames[2].link = FRAME_LINK_RAW;
    write_all("a.pcapng", frames, 3);
    read_back("a.pcapng");
    assert_int_equal(read_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_same_frame(&read_frames[i], &frames[i]);
        assert_int_equal(read_frames[i].interface, i);
        assert_int_equal(read_frames[i].direction, frames[i].direction);
        assert_true(span_equal(read_frames[i].comment, frames[i].comment));
    }
}

static void test_tag_is_put_back(void **state)
{
    struct frame frames[3];
    example(frames);
    frames[0].vlan_tpid = 0x88a8;
    frames[0].vlan_tci = 0x2005;
    write_all("tag.pcap", frames, 1);
    read_back("tag.pcap");
    assert_int_equal(read_frames[0].cap_len, 65);
    assert_int_equal(read_frames[0].wire_len, 1514);
    assert_memory_equal(read_frames[0].data, frames[0].data, 12);
    assert_memory_equal(read_frames[0].data + 12, "\x88\xa8\x20\x05", 4);
    assert_memory_equal(read_frames[0].data + 16, frames[0].data + 12, 49);
}

static void test_empty_is_valid(void **state)
{
    write_all("empty.pcap", NULL, 0);
    read_back("empty.pcap");
    assert_int_equal(read_count, 0);
    write_all("empty.pcapng", NULL, 0);
    read_back("empty.pcapng");
    assert_int_equal(read_count, 0);
}

static void test_one_link_type(void **state)
{
    struct frame frames[3];
    example(frames);
    frames[2].link = FRAME_LINK_RAW;
    struct err err = {0};
    struct pcapwrite *writer = pcapwrite_open(path("two.pcap"), PCAPWRITE_BY_NAME, &err);
    assert_true(pcapwrite_frame(writer, &frames[0], &err));
    assert_false(pcapwrite_frame(writer, &frames[2], &err));
    assert_non_null(strstr(err.text, "two.pcap: a pcap file holds one link type"));
    assert_non_null(strstr(err.text, ".pcapng"));
    err = (struct err){0};
    assert_false(pcapwrite_frame(writer, &frames[0], &err));
    assert_int_equal(err.code, ERR_NONE); /* told once */
    assert_false(pcapwrite_close(writer, &err));
}

static void test_full_disk(void **state)
{
    struct frame frames[3];
    example(frames);
    struct err err = {0};
    struct pcapwrite *writer = pcapwrite_open("/dev/full", PCAPWRITE_PCAP, &err);
    assert_non_null(writer);
    assert_true(pcapwrite_frame(writer, &frames[0], &err));
    assert_false(pcapwrite_close(writer, &err));
    assert_string_equal(err.text, "/dev/full: No space left on device");
    assert_null(pcapwrite_open("/no/such/place", PCAPWRITE_PCAP, NULL));
}

static int make_folder(void **state)
{
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap),           cmocka_unit_test(test_pcapng),
        cmocka_unit_test(test_tag_is_put_back), cmocka_unit_test(test_empty_is_valid),
        cmocka_unit_test(test_one_link_type),  cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
