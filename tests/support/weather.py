"""TCP connections of clients from two countries to two zones, one way of which is too long."""
import os

import made_talk
import places

FAR, NEAR = "198.51.100.10", "192.0.2.10"
PARIS, TOKYO = "203.0.113.20", "203.0.113.140"


def talk(port, at, ends, server_port, to_client):
    """An answer of ten segments."""
    made = made_talk.Talk(port, at, ends, server_port, (4, to_client))
    made.open()
    made.packet(made.server, made_talk.ACK, wait=4)
    for _ in range(10):
        made.packet(made.server, made_talk.ACK | made_talk.PSH, b"x" * made_talk.SEGMENT, wait=1)
        made.packet(made.client, made_talk.ACK, wait=to_client)
    made.close()
    return made.made


def write_capture(path):
    """Three connections from afar (400 ms), three from near by to each of two ports."""
    made = []
    for i in range(3):
        made += talk(40000 + i, 20 * i, (FAR, PARIS), 443, 400)
        made += talk(41000 + i, 30 * i, (NEAR, PARIS), 443, 30)
        made += talk(42000 + i, 40 * i, (NEAR, TOKYO), 80, 10)
    made_talk.write_capture(path, sorted(made, key=lambda packet: packet[0]))


def configuration(folder, kind, more=""):
    """The path of a configuration with a tap of that kind, the places, and `more` lines."""
    path = {name: os.path.join(folder, name) for name in ("made.pcap", "city", "asn", "vantage.yml")}
    write_capture(path["made.pcap"])
    with open(path["city"], "wb") as file:
        file.write(places.database({"198.51.100.0/24": places.city("Oceania", "NZ"),
                                    "192.0.2.0/24": places.city("Europe", "SE")}, "GeoLite2-City"))
    with open(path["asn"], "wb") as file:
        file.write(places.database({"198.51.100.0/24": places.owner(64500, "Far Net"),
                                    "192.0.2.0/24": places.owner(64501, "Near Net")},
                                   "GeoLite2-ASN"))
    with open(path["vantage.yml"], "w", encoding="utf-8") as file:
        file.write(f"taps: [{{kind: {kind}, files: [{path['made.pcap']}]}}]\n"
                   f"geo: {{city: {path['city']}, asn: {path['asn']}}}\n"
                   "zones: [paris=203.0.113.0/25, tokyo=203.0.113.128/25]\n"
                   "flows: {health: true}\n" + more)
    return path["vantage.yml"]
