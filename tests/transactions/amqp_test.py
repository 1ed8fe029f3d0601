#!/usr/bin/env python3
"""What a client asks a real RabbitMQ is what the events say, one to one: methods with their answers,
messages published, delivered, fetched and returned, what is refused; several channels at a time, and
connections that are met in their middle."""
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.path.append("/usr/lib/python3/dist-packages")  # where Debian's modules are, whatever Python runs
import databases  # noqa: E402
import rabbitmq  # noqa: E402
import sniffer  # noqa: E402
import tap  # noqa: E402

try:
    import pika
except ImportError:
    pika = None

LARGE = bytes(range(256)) * 1200  # more than two frames


def told(event):
    """Of an event what is compared."""
    amqp = event.get("amqp", {})
    shown = {name.replace("-", "_"): amqp[name] for name in
             ("queue", "exchange", "routing-key", "message-count", "reply-code", "delivery-tag",
              "content-type", "headers") if name in amqp}
    return event["method"], event["status"], shown


def connect(server):
    return pika.BlockingConnection(pika.ConnectionParameters(
        "127.0.0.1", server.port, heartbeat=0, socket_timeout=databases.PATIENCE,
        stack_timeout=databases.PATIENCE))


def run_declarations(channel):
    """Declares and binds; returns what events should say."""
    channel.exchange_declare("news", "topic", durable=True)
    channel.queue_declare("letters", arguments={"x-max-length": 7, "x-queue-mode": "lazy"})
    channel.queue_declare("other", auto_delete=True)
    channel.queue_bind("letters", "news", "a.*")
    return [("exchange.declare", "OK", {"exchange": "news"}),
            ("queue.declare", "OK", {"queue": "letters", "message_count": 0}),
            ("queue.declare", "OK", {"queue": "other", "message_count": 0}),
            ("queue.bind", "OK", {"queue": "letters", "exchange": "news", "routing_key": "a.*"})]


def run_messages(channel):
    text = pika.BasicProperties(content_type="text/plain", headers={"n": 5, "deep": {"list": [1, "x"]}},
                                delivery_mode=2, priority=3, correlation_id="c", reply_to="r",
                                expiration="60000", message_id="m", timestamp=1700000000, type="t",
                                user_id="guest", app_id="a")
    headers = {"n": 5, "deep": {"list": [1, "x"]}}
    channel.basic_publish("news", "a.b", "hello", text)
    channel.basic_publish("", "letters", LARGE)
    channel.basic_publish("", "letters", b"")
    got = [channel.basic_get("letters") for _ in range(4)]
    channel.basic_ack(got[0][0].delivery_tag)
    channel.basic_nack(got[1][0].delivery_tag, requeue=False)
    channel.basic_reject(got[2][0].delivery_tag, requeue=False)
    channel.queue_purge("letters")
    return [("basic.publish", "OK", {"exchange": "news", "routing_key": "a.b",
                                     "content_type": "text/plain", "headers": headers}),
            ("basic.publish", "OK", {"routing_key": "letters"}),
            ("basic.publish", "OK", {"routing_key": "letters"}),
            ("basic.get", "OK", {"queue": "letters", "exchange": "news", "routing_key": "a.b",
                                 "message_count": 2, "delivery_tag": 1,
                                 "content_type": "text/plain", "headers": headers}),
            ("basic.get", "OK", {"queue": "letters", "routing_key": "letters", "message_count": 1,
                                 "delivery_tag": 2}),
            ("basic.get", "OK", {"queue": "letters", "routing_key": "letters", "message_count": 0,
                                 "delivery_tag": 3}),
            ("basic.get-empty", "OK", {"queue": "letters"}),
            ("basic.ack", "OK", {"delivery_tag": 1}), ("basic.nack", "OK", {"delivery_tag": 2}),
            ("basic.reject", "Error", {"delivery_tag": 3}),
            ("queue.purge", "OK", {"queue": "letters", "message_count": 0})]


def run_ends(channel):
    channel.queue_unbind("letters", "news", "a.*")
    channel.queue_delete("letters")
    channel.exchange_delete("news")
    channel.tx_select()
    channel.tx_commit()
    return [("queue.unbind", "OK", {"queue": "letters", "exchange": "news", "routing_key": "a.*"}),
            ("queue.delete", "OK", {"queue": "letters", "message_count": 0}),
            ("exchange.delete", "OK", {"exchange": "news"}), ("tx.select", "OK", {}),
            ("tx.commit", "OK", {})]


@unittest.skipUnless(pika, "needs python3-pika")
class Amqp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = sniffer.missing() or rabbitmq.RabbitMQ.missing()
        if reason:
            raise unittest.SkipTest(reason)
        cls.server = rabbitmq.RabbitMQ().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        self.maxDiff = 6000
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def sniff(self):
        return sniffer.Sniffer(self.server.port, os.path.join(self.folder, "said.pcap"))

    def events(self, sniffed, text=""):
        settings = os.path.join(self.folder, "x.yml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f"protocols:\n  amqp: {{{text}}}\n")
        return sniffed.events("amqp", "-c", settings)

    def test_everything(self):
        """Declarations, messages and what ends them; bodies as they were sent"""
        with self.sniff() as sniffed:
            connection = connect(self.server)
            channel = connection.channel()
            wanted = run_declarations(channel) + run_messages(channel) + run_ends(channel)
            connection.close()
        events = self.events(sniffed, "send_request: true, send_response: true, max_body_length: 8")
        self.assertEqual([told(event) for event in events], wanted)
        self.assertEqual(events[1]["amqp"]["arguments"], {"x-max-length": 7, "x-queue-mode": "lazy"})
        published, large, fetched = events[4], events[5], events[7]
        self.assertEqual((published["request"], published["source"]["bytes"]), ("hello", 5))
        self.assertEqual((large["request"], large["source"]["bytes"]),
                         ("0 1 2 3 4 5 6 7 [...]", len(LARGE)))
        self.assertEqual((fetched["response"], fetched["destination"]["bytes"]), ("hello", 5))
        self.assertEqual(fetched["event"]["outcome"], "success")
        self.assertEqual(published["user"]["id"], "guest")
        self.assertEqual({event["destination"]["port"] for event in events}, {self.server.port})
        for name, value in {"delivery-mode": "persistent", "priority": 3, "correlation-id": "c",
                            "reply-to": "r", "expiration": "60000", "message-id": "m", "type": "t",
                            "timestamp": "2023-11-14T22:13:20Z", "app-id": "a"}.items():
            self.assertEqual(published["amqp"][name], value)

    def test_middle(self):
        """A connection that is met in its middle"""
        connection = connect(self.server)
        channel = connection.channel()
        with self.sniff() as sniffed:
            wanted = run_declarations(channel) + run_messages(channel) + run_ends(channel)
            connection.close()
        self.assertEqual([told(event) for event in self.events(sniffed)], wanted)

    def test_deliveries(self):
        """Consumers get what was published; returned messages; confirmations"""
        with self.sniff() as sniffed:
            connection = connect(self.server)
            channel = connection.channel()
            channel.queue_declare("inbox", exclusive=True)
            for n in range(20):
                channel.basic_publish("", "inbox", b"x" * n * 997)
            for _, (method, _, body) in zip(range(20), channel.consume("inbox", auto_ack=True)):
                self.assertEqual(len(body), (method.delivery_tag - 1) * 997)
            channel.cancel()
            channel.confirm_delivery()
            with self.assertRaises(pika.exceptions.UnroutableError):
                channel.basic_publish("", "nowhere", b"lost", mandatory=True)
            connection.close()
        events = self.events(sniffed)
        delivered = [event for event in events if event["method"] == "basic.deliver"]
        self.assertEqual([event["destination"].get("bytes", 0) for event in delivered],
                         [n * 997 for n in range(20)])
        self.assertEqual([event["amqp"]["delivery-tag"] for event in delivered], list(range(1, 21)))
        others = [event["method"] for event in events
                  if event["method"] not in ("basic.deliver", "basic.publish")]
        self.assertEqual(others, ["queue.declare", "basic.consume", "basic.cancel", "confirm.select",
                                  "basic.return", "basic.ack"])
        returned = events[-2]
        self.assertEqual((returned["status"], returned["amqp"]["reply-code"],
                          returned["amqp"]["reply-text"]), ("Error", 312, "NO_ROUTE"))

    def test_long(self):
        """Bodies of megabytes are whole up to max_body_length, and what is beyond is cut and said"""
        text = pika.BasicProperties(content_type="text/plain")
        body = b"".join(b"%07d " % i for i in range(150000))  # 1.2 MB
        with self.sniff() as sniffed:
            connection = connect(self.server)
            channel = connection.channel()
            channel.queue_declare("long", exclusive=True)
            channel.basic_publish("", "long", body, text)
            self.assertEqual(next(channel.consume("long", auto_ack=True, inactivity_timeout=180))[2], body)
            connection.close()
        for most, shown in (("2000000", body.decode()), ("1000000", body.decode()[:1000000] + " [...]")):
            events = {event["method"]: event for event in self.events(
                sniffed, f"send_request: true, send_response: true, max_body_length: {most}")}
            self.assertEqual(events["basic.publish"]["request"], shown)
            self.assertEqual(events["basic.deliver"]["response"], shown)

    def test_refused(self):
        """A method that closes its channel is told of by what closes it, with all that it was about"""
        with self.sniff() as sniffed:
            connection = connect(self.server)
            for _ in range(3):
                channel = connection.channel()
                with self.assertRaises(pika.exceptions.ChannelClosedByBroker):
                    channel.queue_bind("none", "nowhere", "k")
            connection.close()
        events = self.events(sniffed)
        self.assertEqual([event["method"] for event in events], ["channel.close"] * 3)
        for event in events:
            amqp = event["amqp"]
            self.assertEqual((event["status"], amqp["reply-code"], amqp["class-id"], amqp["method-id"],
                              amqp["queue"], amqp["exchange"]), ("Error", 404, 50, 20, "none", "nowhere"))

    def test_channels(self):
        """Channels that speak in turns are told apart"""
        with self.sniff() as sniffed:
            connection = connect(self.server)
            channels = [connection.channel() for _ in range(5)]
            for n in range(30):
                channels[n % 5].queue_declare(f"q{n}", exclusive=True)
                channels[n % 5].basic_publish("", f"q{n}", b"." * n * 3000)
            connection.close()
        events = self.events(sniffed)
        self.assertEqual([(event["method"], event["amqp"].get("queue", event["amqp"].get("routing-key")))
                          for event in events],
                         [(method, f"q{n}") for n in range(30)
                          for method in ("queue.declare", "basic.publish")])

    def test_intimate(self):
        """How connections are made, if asked for; what logins say is not shown"""
        with self.sniff() as sniffed:
            connection = connect(self.server)
            channel = connection.channel()
            channel.basic_qos(prefetch_count=5)
            connection.close()
        self.assertEqual(self.events(sniffed), [])
        events = self.events(sniffed, "hide_connection_information: false, send_request: true, "
                                      "send_response: true")
        self.assertEqual([event["method"] for event in events],
                         ["connection.start", "connection.tune", "connection.open", "channel.open",
                          "basic.qos", "channel.close", "connection.close"])
        self.assertEqual(events[0]["amqp"]["mechanism"], "PLAIN")
        self.assertEqual(events[0]["amqp"]["server-properties"]["product"], "RabbitMQ")
        self.assertEqual(events[2]["amqp"]["virtual-host"], "/")
        self.assertNotIn("guest", str(events))


if __name__ == "__main__":
    tap.main()
