#!/usr/bin/env python3
"""Makes seeds for fuzzing of captures: what real programs say, in the form that fuzz targets read.

    tools/seeds.py CAPTURE... --output FOLDER

Of each TCP connection a script (src/proto/proto_script.h) with what its sides say, a step a segment,
FIN and holes; of each UDP flow a script with its datagrams; and each datagram by itself, for targets
that read one message. Names say which capture a seed is from; the same input gives the same files."""
import argparse
import os
import struct
import sys

sys.dont_write_bytecode = True
import capture  # noqa: E402
import resegment  # noqa: E402

GAP, FIN = 0xF0, 0xE0
FLAGS = b"\0"         # nothing but what the protocol's defaults are
STEP_SHIFTS = 3       # a step's length is a byte, shifted by up to so many bits
BYTES_MAX = 60 << 10  # of a seed: the fuzzer would cut what is longer
UDP = 17


def say(side, data):
    """The steps that say `data`. One of 256 bytes and more is said in steps of whole multiples."""
    steps = b""
    while data:
        shift = 0
        while len(data) >> shift > 255 and shift < STEP_SHIFTS:
            shift += 1
        count = min(len(data) >> shift, 255)
        size = count << shift
        steps += bytes((side | shift << 4, count)) + data[:size]
        data = data[size:]
    return steps


class Talk:
    """A flow's script. Of TCP, what was sent again is left out, and what comes early is a hole."""

    def __init__(self, first):
        self.first = first  # the direction of side 0
        self.expected = {}
        self.script = FLAGS

    def add(self, step):
        if len(self.script) + len(step) <= BYTES_MAX:
            self.script += step

    def segment(self, segment):
        side = int(segment.direction != self.first)
        sequence = struct.unpack_from("!I", segment.packet.data, segment.tcp + 4)[0]
        data = segment.packet.data[segment.payload:segment.end]
        if segment.flags & resegment.SYN:
            self.expected[side] = (sequence + 1) % 2**32
            return
        ahead = (sequence - self.expected.get(side, sequence)) % 2**32
        if ahead >= 2**31:  # behind: said before
            sequence += min(2**32 - ahead, len(data))
            data = data[2**32 - ahead:]
            if not data:
                return
        elif ahead:
            self.add(bytes((side | GAP, min(ahead, 256) - 1)))
        self.add(say(side, data))
        self.expected[side] = (sequence + len(data)) % 2**32
        if segment.flags & resegment.FIN:
            self.add(bytes((side | FIN, 0)))


def reverse(direction):
    size = (len(direction) - 4) // 2
    return direction[size:2 * size] + direction[:size] + direction[-2:] + direction[-4:-2]


def datagram(packet):
    """(direction, payload) of a whole UDP datagram, or None."""
    data, at = packet.data, resegment.L2.get(packet.link)
    if at is None or len(data) < at + 28:
        return None
    if data[at] >> 4 == 4:
        head, protocol, addresses = (data[at] & 15) * 4, data[at + 9], data[at + 12:at + 20]
        if struct.unpack_from("!H", data, at + 6)[0] & 0x3FFF:
            return None
    else:
        head, protocol, addresses = 40, data[at + 6], data[at + 8:at + 40]
    udp = at + head
    if protocol != UDP or len(data) < udp + 8:
        return None
    size = struct.unpack_from("!H", data, udp + 4)[0]
    return addresses + data[udp:udp + 4], data[udp + 8:udp + size]


def talks(packets):
    """What is said in a capture: scripts, then single datagrams."""
    found, singles = {}, []
    for packet in packets:
        segment, single = resegment.parse(packet), datagram(packet)
        if not segment and not single:
            continue
        direction = segment.direction if segment else single[0]
        talk = found.get(direction) or found.get(reverse(direction))
        if not talk or (segment and segment.flags & 0x12 == resegment.SYN):
            talk = found[direction] = Talk(direction)
            found.pop(reverse(direction), None)
            singles.append(talk)
        if segment:
            talk.segment(segment)
        else:
            talk.add(say(int(direction != talk.first), single[1]))
            singles.append(single[1])
    scripts = [talk.script for talk in singles if isinstance(talk, Talk)]
    alone = [single for single in singles if not isinstance(single, Talk)]
    return [script for script in scripts if script != FLAGS], alone


def write(captures, folder):
    """Writes the seeds of captures; how many there are."""
    os.makedirs(folder, exist_ok=True)
    count = 0
    for path in captures:
        scripts, alone = talks(capture.read(path))
        for number, seed in enumerate(scripts + alone):
            name = f"{os.path.splitext(os.path.basename(path))[0]}-{number}"
            with open(os.path.join(folder, name), "wb") as file:
                file.write(seed)
            count += 1
    return count


def main():
    parser = argparse.ArgumentParser(description="Makes seeds for fuzzing of captures.")
    parser.add_argument("captures", nargs="+", metavar="CAPTURE")
    parser.add_argument("--output", required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    print(f"{write(arguments.captures, arguments.output)} seeds")


if __name__ == "__main__":
    main()
