#!/usr/bin/env python3
"""Databases of places and owners of policies: looked up, kept, and taken anew when they are replaced; names of
services."""
import os
import socket
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import places  # noqa: E402
import pktvisord  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402


class Places(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(self.folder.cleanup)
        self.city = os.path.join(self.folder.name, "city.mmdb")
        self.owner = os.path.join(self.folder.name, "asn.mmdb")
        places.replace(self.city, places.database({"192.0.2.0/24": places.city("EU", "Sweden")}, "City"))
        places.replace(self.owner, places.database({"192.0.2.0/24": places.owner(1221, "One")}, "ASN"))

    def agent(self, *more):
        agent = pktvisord.Agent(self, "--geo-city", self.city, "--geo-asn", self.owner, *more)
        self.port = sockets.free_port()
        agent.ask("POST", "taps", pktvisord.tap_document("t", "dnstap", {"tcp": f"127.0.0.1:{self.port}"}))
        got = agent.ask("POST", "policies", pktvisord.policy_document(
            "p", "t", "dnstap", "net", ', require_version: "2.0"'))
        self.assertEqual(got[0], 201, got)
        return agent

    def send(self):
        with socket.create_connection(("127.0.0.1", self.port), pktvisord.PATIENCE) as stream:
            for i in range(5):
                stream.sendall(pktvisord.dnstap_query(f"h{i}.example.com", int(time.time())))

    def names(self, agent, key):
        """What a top list of the last minutes names."""
        net = agent.metrics("p", "t", "window/5").get("net", {})
        return {row["name"] for side in ("in", "out", "unknown") for row in net.get(side, {}).get(key, [])}

    def seen(self, agent, key, name):
        """Sends until a list has a name."""
        return agent.wait(lambda: self.send() or name in self.names(agent, key))

    def life(self, *more):
        agent = self.agent(*more)
        self.assertTrue(self.seen(agent, "top_geo_loc_packets", "EU/Sweden"), agent.metrics("p", "t"))
        self.assertTrue(self.seen(agent, "top_asn_packets", "1221/One"))
        places.replace(self.city, places.database({"192.0.2.0/24": places.city("NA", "Canada")}, "City"))
        with open(self.owner, "wb") as out:  # overwritten in place: what is looked up in does not go
            out.write(places.database({"192.0.2.0/24": places.owner(7, "Two")}, "ASN"))
        self.assertTrue(self.seen(agent, "top_geo_loc_packets", "NA/Canada"))
        self.assertTrue(self.seen(agent, "top_asn_packets", "7/Two"))
        return agent

    def test_replaced(self):
        """a database that is replaced is read anew; one that is none is told, and the old one goes on"""
        agent = self.life()
        places.replace(self.city, b"no database")
        self.seen(agent, "top_asn_packets", "7/Two")
        lines = []
        while not any("the database before goes on" in line for line in lines):
            line = agent.process.stderr.readline()
            self.assertTrue(line, lines)
            lines.append(line)
        places.replace(self.city, places.database({"192.0.2.0/24": places.city("AS", "Japan")}, "City"))
        self.assertTrue(self.seen(agent, "top_geo_loc_packets", "AS/Japan"))

    def test_without_cache(self):
        """the same when no look-up is kept"""
        self.life("--geo-cache-size", "0")


class Services(unittest.TestCase):
    def test_registry(self):
        """ports have names of a registry in the form of IANA's"""
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            path = os.path.join(folder, "names.csv")
            with open(path, "w", encoding="utf-8") as out:
                out.write("Service Name,Port Number,Transport Protocol,Description\n"
                          "sesame,4242,udp,\nthe-range,5000-5009,udp,\nwrong,4242,tcp,\n")
            agent = pktvisord.Agent(self, "--iana-service-port-registry", path)
            port = sockets.free_port()
            agent.ask("POST", "taps", pktvisord.tap_document("t", "flow", {
                "flow_type": "netflow", "bind": "127.0.0.1", "port": port}))
            self.assertEqual(agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "flow", "flow"))[0], 201)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                def probe():
                    out.sendto(pktvisord.netflow_5("10.0.0.1", "10.0.0.2", 5003, 4242, 700), ("127.0.0.1", port))
                    seen = agent.metrics("p", "t")["flow"]["devices"]["127.0.0.1"]["interfaces"]["1"]
                    names = {key: [row["name"] for row in seen[key]] for key in seen if "_ports_" in key}
                    return (names["top_in_dst_ports_bytes"], names["top_in_src_ports_bytes"])
                self.assertEqual(agent.wait(probe), (["sesame"], ["the-range"]))


if __name__ == "__main__":
    tap.main()
