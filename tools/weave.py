#!/usr/bin/env python3
"""Weaves many copies of captures into one, each copy with addresses and a beginning of its own: as much
traffic of many protocols at once as short captures of one of each can make.

    tools/weave.py OUT.pcap PACKETS FILE...

OUT gets about PACKETS of the protocol of each folder that FILEs are in, all within a minute. Captures of
other link types than Ethernet are left out. Checksums are not corrected, for nobody here checks them."""
import collections
import dataclasses
import os
import sys

import capture

ETHERNET, MINUTE_NS = 1, 60 * 10**9
BEGIN_NS = 1_700_000_000 * 10**9
LONGEST_NS = 20 * 10**9   # a copy that lasts longer is compressed
ADDRESSES = {b"\x08\x00": (12, 16), b"\x86\xdd": (8, 24)}  # in the header of IPv4 and IPv6
COPIES_MAX = 1 << 14      # addresses have so many places


def moved(data, copy):
    """A frame with the addresses of a copy: those of groups stay."""
    data, at = bytearray(data), 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    for field in ADDRESSES.get(bytes(data[at:at + 2]), ()):
        side = at + 2 + field
        if len(data) > side + 4 and data[side] & 0xF0 != 0xE0 and data[side] != 0xFF:
            data[side + 1] ^= copy & 0xFF
            data[side + 2] ^= copy >> 8
    return bytes(data)


def copies(packets, wanted):
    """About `wanted` packets, as often as it takes."""
    count = min(wanted // len(packets) + 1, COPIES_MAX)
    first = packets[0].time_ns
    longest = max(max(p.time_ns - first for p in packets), LONGEST_NS)
    for copy in range(count):
        start = copy * MINUTE_NS // count
        for p in packets:
            since = max(p.time_ns - first, 0) * LONGEST_NS // longest
            yield dataclasses.replace(p, time_ns=BEGIN_NS + start + since, data=moved(p.data, copy))


def main():
    out, wanted, names = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    folders = collections.defaultdict(list)
    for name in names:
        packets = capture.read(name)
        if packets and packets[0].link == ETHERNET:
            folders[os.path.dirname(name)].append(packets)
    woven = [p for files in folders.values() for packets in files
             for p in copies(packets, wanted // len(files))]
    woven.sort(key=lambda p: p.time_ns)
    with open(out, "wb") as file:
        file.write(capture.pcap(woven))


main()
