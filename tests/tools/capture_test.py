#!/usr/bin/env python3
"""The capture formats of tools/capture.py, the segments of tools/resegment.py and the seeds of
tools/seeds.py, on made packets."""
import gzip
import os
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import tap  # noqa: E402
import capture  # noqa: E402
import resegment  # noqa: E402
import seeds  # noqa: E402


def tcp(time_ns, sequence, flags, payload, source=b"\x0a\x00\x00\x01", port=1024):
    """An Ethernet frame with a TCP segment, padded to 60 bytes as a wire would."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 7, 0, 64, 6, 0, source,
                     b"\x0a\x00\x00\x02")
    head = struct.pack("!HHIIBBHHH", port, 80, sequence, 0, 0x50, flags, 1000, 0, 0)
    data = (bytes(12) + b"\x08\x00" + ip + head + payload).ljust(60, b"\0")
    return capture.Packet(time_ns, data, len(data), 1)


TALK = [tcp(10**9, 2**32 - 3, resegment.SYN, b""),
        tcp(2 * 10**9, 2**32 - 2, resegment.PSH, b"hello, streaming world"),
        tcp(3 * 10**9, 20, resegment.PSH | resegment.FIN, b"and goodbye")]


def stream(packets):
    """Sequence number → (byte, first time seen) of a direction."""
    found = {}
    for segment in filter(None, map(resegment.parse, packets)):
        data, start = segment.packet.data, segment.tcp + 4
        sequence = struct.unpack_from("!I", data, start)[0]
        for offset, byte in enumerate(data[segment.payload:segment.end]):
            found.setdefault((sequence + offset) % 2**32, (byte, segment.packet.time_ns))
    return found


class Formats(unittest.TestCase):
    def reread(self, raw):
        with tempfile.NamedTemporaryFile() as file:
            file.write(raw)
            file.flush()
            return capture.read(file.name)

    def test_pcap_comes_back(self):
        for order in "<>":
            for nano in (True, False):
                self.assertEqual(self.reread(capture.pcap(TALK, order, nano)), TALK)

    def test_gzip_comes_back(self):
        self.assertEqual(self.reread(capture.gzipped(capture.pcap(TALK))), TALK)
        self.assertEqual(gzip.decompress(capture.gzipped(b"x")), b"x")

    def test_pcapng_blocks_are_aligned(self):
        raw, at, kinds = capture.pcapng(TALK), 0, []
        while at < len(raw):
            kind, size = struct.unpack_from("<II", raw, at)
            self.assertEqual((size % 4, struct.unpack_from("<I", raw, at + size - 4)[0]), (0, size))
            kinds.append(kind)
            at += size
        self.assertEqual(kinds, [capture.SECTION, 1, 6, 6, 6])

    def test_a_cut_file_ends(self):
        self.assertEqual(self.reread(capture.pcap(TALK)[:-1]), TALK[:-1])


class Segments(unittest.TestCase):
    def test_every_byte_stays_and_keeps_its_time(self):
        for how in resegment.HOWS:
            for seed in range(20):
                with self.subTest(how=how, seed=seed):
                    got = stream(resegment.resegment(TALK, how, seed))
                    self.assertEqual(got, stream(TALK))

    def test_fin_and_push_come_last(self):
        *others, last = [resegment.parse(p) for p in resegment.resegment(TALK, "bytes")[-11:]]
        self.assertEqual({s.flags for s in others}, {0})
        self.assertEqual(last.flags, resegment.PSH | resegment.FIN)

    def test_checksums_are_right(self):
        for packet in resegment.resegment(TALK, "random")[1:]:
            s = resegment.parse(packet)
            self.assertEqual(resegment.sum16(packet.data[s.ip:s.tcp]), 0)

    def test_each_way_does_what_it_says(self):
        sequences = {how: [p.data[38:42] for p in resegment.resegment(TALK, how)]
                     for how in resegment.HOWS}
        self.assertEqual(len(sequences["bytes"]), 1 + 22 + 11)
        self.assertLess(len(set(sequences["duplicate"])), len(sequences["duplicate"]))
        self.assertNotEqual(sequences["swap"][1], struct.pack("!I", 2**32 - 2))

    def test_a_stream_joined_in_the_middle_begins_as_it_did(self):
        for seed in range(20):
            first = resegment.resegment(TALK[1:], "all", seed)[0]
            self.assertEqual(first.data[38:42], struct.pack("!I", 2**32 - 2))

    def test_what_is_not_understood_is_passed_on(self):
        odd = [capture.Packet(1, b"\0" * 20, 20, 1), capture.Packet(1, TALK[1].data[:50], 60, 1)]
        self.assertEqual(resegment.resegment(odd, "all"), odd)


class Seeds(unittest.TestCase):
    HELLO, BYE = b"hello, streaming world", b"and goodbye"

    def test_a_connection_is_a_script(self):
        answer = tcp(0, 7, resegment.PSH, b"a" * 301, b"\x0a\x00\x00\x02", 80)
        answer = capture.Packet(0, answer.data[:30] + b"\x0a\x00\x00\x01" + answer.data[34:36]
                                + struct.pack("!H", 1024) + answer.data[38:], answer.wire_len, 1)
        scripts, alone = seeds.talks(TALK[:2] + [answer] + TALK[2:])
        said = [bytes((0, len(self.HELLO))) + self.HELLO, b"\x11\x96" + b"a" * 300, b"\x01\x01a",
                bytes((0, len(self.BYE))) + self.BYE, b"\xe0\0"]
        self.assertEqual((scripts, alone), ([b"\0" + b"".join(said)], []))

    def test_what_is_sent_again_is_said_once_and_what_is_missing_is_a_hole(self):
        scripts, _ = seeds.talks(resegment.resegment(TALK, "duplicate"))
        steps, at, text = scripts[0], 1, b""
        while at < len(steps):
            self.assertIn(steps[at], (0, seeds.FIN))
            text += steps[at + 2:at + 2 + steps[at + 1]]
            at += 2 + steps[at + 1]
        self.assertEqual(text, self.HELLO + self.BYE)
        scripts, _ = seeds.talks([TALK[0], TALK[2]])
        self.assertEqual(scripts[0][:3], bytes((0, seeds.GAP, len(self.HELLO) - 1)))

    def test_a_datagram_is_a_step_and_a_seed(self):
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 32, 7, 0, 64, 17, 0, b"\1\2\3\4", b"\5\6\7\x08")
        data = bytes(12) + b"\x08\x00" + ip + struct.pack("!HHHH", 9, 53, 12, 0) + b"what"
        scripts, alone = seeds.talks([capture.Packet(0, data.ljust(60, b"\0"), 60, 1)])
        self.assertEqual((scripts, alone), ([b"\0\0\x04what"], [b"what"]))


if __name__ == "__main__":
    tap.main()
