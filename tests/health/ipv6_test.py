#!/usr/bin/env python3
"""TCP health over IPv6: of captures made on networks of this machine, edited to IPv6, the same is said; so it is
when segments come in fragments, or when the clock of the capture is set."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
sys.dont_write_bytecode = True
import capture  # noqa: E402
import tap  # noqa: E402
import troubled  # noqa: E402
import ipv6  # noqa: E402

STEPS_NS = (-2 * 10 ** 9, 3 * 10 ** 8)


def stepped(packets, by_ns):
    """The clock is set in the middle."""
    middle = len(packets) // 2
    return packets[:middle] + [type(one)(one.time_ns + by_ns, one.data, one.wire_len, one.link)
                               for one in packets[middle:]]


class OverIPv6(troubled.Troubled):
    names = ("loss", "reorder", "syn_hole", "middle_hole", "mtu_hole", "narrow", "narrow_and_mute",
             "host_unreachable", "admin_prohibited")

    def said(self, packets):
        path = os.path.join(self.folder.name, "ipv6.pcap")
        with open(path, "wb") as file:
            file.write(capture.pcap(packets))
        return troubled.health_of(path)

    def places(self):
        """What is in each capture: in IPv4, in IPv6."""
        for name, truth in self.truths.items():
            for path in truth["captures"]:
                old = [one for one in capture.read(path) if ipv6.is_known(one)]
                if old:
                    with self.subTest(os.path.basename(path)):
                        yield name, old, ipv6.as_ipv6(old)

    def test_the_same_is_said(self):
        for _, old, new in self.places():
            self.assertEqual(self.said(new), self.said(old))

    def test_what_routers_say(self):
        """Packet Too Big is heard, or is not, and what cannot be reached is named"""
        for name, _, new in self.places():
            flags = self.said(new)["flags"]
            if name == "narrow":
                self.assertEqual((flags["icmp_error"], flags["pmtud_icmp"]), ("fragmentation_needed", True))
                self.assertIsNot(flags.get("blackholed"), True)
            elif name in ("narrow_and_mute", "mtu_hole") and flags.get("blackholed"):
                self.assertEqual(flags["blackhole_kind"], "pmtu")
            elif name in ("host_unreachable", "admin_prohibited"):
                self.assertEqual((flags["icmp_error"], flags["close"]), (name, "unreachable"))

    def test_fragments(self):
        """But that there are more frames"""
        for _, _, new in self.places():
            pieces = ipv6.fragmented(new)
            whole, parts = self.said(new), self.said(pieces)
            self.assertEqual(parts.pop("packets") - whole.pop("packets"), len(pieces) - len(new))
            self.assertEqual(parts, whole)

    def test_a_clock_that_is_set(self):
        for _, old, new in self.places():
            for by_ns in STEPS_NS:
                self.assertEqual(self.said(stepped(new, by_ns)), self.said(stepped(old, by_ns)))


if __name__ == "__main__":
    tap.main()
