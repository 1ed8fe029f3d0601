#!/usr/bin/env python3
"""What one SIPp says to another is what the events say, one to one: calls over UDP and over TCP."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

CALLS = 5
WANTED = ["INVITE", 180, 200, "ACK", "BYE", 200]
PATIENCE = 180  # seconds


class Sip(unittest.TestCase):
    def setUp(self):
        reason = sniffer.missing("sipp")
        if reason:
            self.skipTest(reason)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def sipp(self, scenario, port, transport, *more):
        """Without retransmissions: a slow machine is no reason to say a thing twice."""
        return subprocess.Popen(["sipp", "-sn", scenario, "-i", "127.0.0.1", "-p", str(port), "-t",
                                 transport, "-m", str(CALLS), "-nostdin", "-nr", *more],
                                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def record(self, transport):
        """The events of calls that SIPp makes."""
        port = sockets.free_port()
        path = os.path.join(self.folder, "said.pcap")
        with sniffer.Sniffer(f"{port} or udp port {port}", path) as wire:
            server = self.sipp("uas", port, transport)
            try:
                sockets.wait_for_socket(server, "udp" if transport == "u1" else "tcp", port)
                client = self.sipp("uac", sockets.free_port(), transport, "-r", "5", "-d", "50",
                                   f"127.0.0.1:{port}")
                self.assertEqual(client.wait(PATIENCE), 0)
            finally:
                server.terminate()
                server.wait(PATIENCE)
        return port, wire.events("sip")

    def check(self, transport, name, number):
        port, events = self.record(transport)
        calls = {}
        for event in events:
            calls.setdefault(event["sip"]["call_id"], []).append(event)
        self.assertEqual(len(calls), CALLS)
        for said in calls.values():
            self.assertEqual([event["sip"].get("code", event["sip"].get("method")) for event in said],
                             WANTED)
            self.assertEqual({event["network"]["transport"] for event in said}, {name})
            self.assertEqual({event["network"]["iana_number"] for event in said}, {number})
            self.assertEqual(said[0]["destination"]["port"], port)
            self.assertEqual(said[1]["source"]["port"], port)
            self.assertEqual(said[0]["event"]["action"], "sip-invite")
            self.assertEqual(said[2]["event"]["outcome"], "success")
            self.assertEqual(said[0]["sip"]["sdp"]["owner"]["username"], "user1")
            self.assertTrue(said[0]["event"]["original"].startswith("INVITE sip:service@127.0.0.1"))

    def test_udp(self):
        """Calls over UDP"""
        self.check("u1", "udp", "17")

    def test_tcp(self):
        """Calls over TCP, several on a connection"""
        self.check("t1", "tcp", "6")


if __name__ == "__main__":
    tap.main()
