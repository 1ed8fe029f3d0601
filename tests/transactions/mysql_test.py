#!/usr/bin/env python3
"""What a client asks a real MariaDB is what the events say, one to one: statements, parameters, rows,
errors; with EOF packets and without, compressed and not, from the start of the connection and from its
middle."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import databases  # noqa: E402
import mysql_client  # noqa: E402
import sniffer  # noqa: E402
import tap  # noqa: E402

TINY, SHORT, LONG, FLOAT, DOUBLE, DATETIME, LONGLONG, TIME, TEXT = 1, 2, 3, 4, 5, 12, 8, 11, 253
BLOB = 252
UNSIGNED = 0x8000


class Told:
    """What the client did, as the events should tell it."""

    def __init__(self, client):
        self.client = client
        self.wanted = []

    def note(self, method, query, result, params=None):
        self.wanted.append({"method": method, "query": query.strip(), "status": "OK", "rows": result.rows,
                            "fields": result.columns, "affected": result.affected,
                            "insert_id": result.insert_id, "params": params,
                            "results": result.results if result.results > 1 else None})

    def note_error(self, method, query, code):
        self.wanted.append({"method": method, "query": query, "status": "Error", "code": code})

    def query(self, sql, files=None):
        method = sql.split()[0].upper()
        try:
            self.note(method, sql, self.client.query(sql, files))
        except mysql_client.ServerError as error:
            self.note_error(method, sql, error.args[0])

    def prepare(self, sql):
        try:
            statement = self.client.prepare(sql)
        except mysql_client.ServerError as error:
            self.note_error("PREPARE", sql, error.args[0])
            return None
        self.wanted.append({"method": "PREPARE", "query": sql, "status": "OK"})
        return statement

    def execute(self, statement, sql, values, shown, **more):
        result = self.client.execute(statement, values, **more)
        self.note(sql.split()[0].upper(), sql, result, shown or None)
        return result


def told(event):
    """The same of an event."""
    mysql = event.get("mysql", {})
    answer = {"method": event["method"], "query": event["query"], "status": event["status"]}
    if event["status"] == "Error":
        return {**answer, "code": mysql.get("error_code")}
    if event["method"] == "PREPARE":
        return answer
    return {**answer, "rows": mysql["num_rows"], "fields": mysql["num_fields"],
            "affected": mysql["affected_rows"], "insert_id": mysql["insert_id"],
            "params": event.get("params"), "results": mysql.get("num_results")}


def run_statements(t):
    t.query("create table goods (id int auto_increment primary key, name varchar(40), price double, "
            "big bigint unsigned, at datetime(6))")
    t.query("insert into goods (name, price) values ('nail', 0.5), ('screw', 1.25), (null, 3)")
    t.query("insert into goods (name) values ('bolt; nut')")
    t.query("select * from goods")
    t.query("  select name, 'a\n;b' from goods where id = 2 ")
    t.query("update goods set price = 2")
    t.query("select nothing from goods")
    t.query("selec 1")
    t.query("insert into goods (id) values (1)")
    t.query("select 1; select 2, 3; update goods set price = 4; select * from goods where 0")
    t.query("select repeat('x', 300000), 1 union select repeat('y', 70000), 2")
    t.query("select seq, repeat('z', 100) from seq_1_to_3000")
    t.query("load data local infile 'x' into table goods fields terminated by ',' (name, price)",
            [b"one,1\ntwo,2\n", b"three,3\n" * 1000])
    t.query("set @a = 1")
    t.query("do 1")


def run_prepared(t):
    sql = "select ?, ?, ?, ?, ?, ?, ?, ?"
    statement = t.prepare(sql)
    values = [(TINY, b"\xff"), (LONG | UNSIGNED, b"\xff" * 4), (TEXT, b"\x05hello"), (TEXT, None),
              (DOUBLE, struct.pack("<d", 2.5)), (LONGLONG, struct.pack("<q", -7)),
              (DATETIME, bytes([11]) + struct.pack("<HBBBBBI", 2024, 2, 29, 12, 30, 1, 5)),
              (TIME, bytes([8, 1]) + struct.pack("<IBBB", 1, 2, 3, 4))]
    shown = ["-1", "4294967295", "hello", "NULL", "2.5", "-7", "2024-02-29 12:30:01.000005",
             "-26:03:04"]
    t.execute(statement, sql, values, shown)
    t.execute(statement, sql, values, shown, types=False)
    t.client.close_statement(statement)
    sql = "insert into goods (name, price) values (?, ?)"
    statement = t.prepare(sql)
    for i in range(5):
        value = struct.pack("<f", i / 4)
        t.execute(statement, sql, [(TEXT, mysql_client.text(b"n%d" % i)), (FLOAT, value)],
                  [f"n{i}", f"{i / 4:g}"])
    t.client.long_data(statement, 0, b"much ")
    t.client.long_data(statement, 0, b"more")
    t.execute(statement, sql, [(BLOB, ...), (FLOAT, struct.pack("<f", 1))], ["(long data)", "1"])
    t.prepare("select from")
    sql = "select count(*) from goods"
    statement = t.prepare(sql)
    t.execute(statement, sql, [], [])
    sql = "select seq from seq_1_to_50"
    statement = t.prepare(sql)
    t.execute(statement, sql, [], [], cursor=1)
    t.client.fetch(statement, 20)
    t.client.fetch(statement, 100)
    t.client.close_statement(statement)
    t.prepare("do 1")


def run_others(t):
    t.client.ping()
    t.client.init_db("mysql")
    try:
        t.client.init_db("nowhere")
    except mysql_client.ServerError as error:
        t.note_error("INIT_DB", "nowhere", error.args[0])
    t.client.statistics()
    t.client.init_db("shop")
    t.query("select 'still here'")


class Mysql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = sniffer.missing() or databases.MariaDB.missing()
        if reason:
            raise unittest.SkipTest(reason)
        cls.server = databases.MariaDB().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        self.maxDiff = 6000
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        client = mysql_client.Client(self.server.port)
        client.query("drop database if exists shop")
        client.query("create database shop")
        client.quit()

    def sniff(self):
        return sniffer.Sniffer(self.server.port, os.path.join(self.folder, "said.pcap"))

    def check(self, **options):
        with self.sniff() as sniffed:
            client = mysql_client.Client(self.server.port, database="shop", **options)
            t = Told(client)
            run_statements(t)
            run_prepared(t)
            run_others(t)
            client.quit()
        events = sniffed.events("mysql")
        self.assertEqual([told(event) for event in events], t.wanted)
        self.assertEqual({event["user"]["name"] for event in events}, {"root"})
        return events

    def test_classic(self):
        """Statements, prepared ones and other commands, with EOF packets"""
        events = self.check()
        self.assertEqual(events[0]["destination"]["port"], self.server.port)
        self.assertEqual([event["path"] for event in events if "path" in event][0], "shop.goods")

    def test_deprecate_eof(self):
        """The same without EOF packets (CLIENT_DEPRECATE_EOF)"""
        self.check(deprecate_eof=True)

    def test_compressed(self):
        """The same compressed (zlib)"""
        self.check(compress=True)

    def test_compressed_without_eof(self):
        """The same compressed and without EOF packets"""
        self.check(compress=True, deprecate_eof=True)

    def check_middle(self, **options):
        client = mysql_client.Client(self.server.port, database="shop", **options)
        client.query("select 1")
        with self.sniff() as sniffed:
            t = Told(client)
            run_statements(t)
            run_prepared(t)
            run_others(t)
            client.quit()
        self.assertEqual([told(event) for event in sniffed.events("mysql")], t.wanted)

    def test_middle(self):
        """Connections that are met midway, of all four kinds"""
        for compress in (False, True):
            for deprecate_eof in (False, True):
                with self.subTest(compress=compress, deprecate_eof=deprecate_eof):
                    self.setUp()
                    self.check_middle(compress=compress, deprecate_eof=deprecate_eof)

    def test_pipelined(self):
        """Commands that are sent before the answers to others have come"""
        with self.sniff() as sniffed:
            client = mysql_client.Client(self.server.port)
            queries = [f"select {i}, '{'x' * (i * 37 % 300)}'" for i in range(150)]
            client.write(b"".join(client.frame(b"\x03" + sql.encode()) for sql in queries))
            for _ in queries:
                client.answer()
            client.quit()
        self.assertEqual([event["query"] for event in sniffed.events("mysql")], queries)

    def test_real_client(self):
        """The client that comes with MariaDB, compressed and not"""
        statements = ["select 1", "create table shop.t (a int)", "insert into shop.t values (1), (2)",
                      "select a from shop.t", "select b from shop.t", "drop table shop.t"]
        for more in ([], ["--compress"]):
            with self.subTest(more=more):
                with self.sniff() as sniffed:
                    subprocess.run(["mariadb", "--no-defaults", "-h127.0.0.1", "-uroot", "--force",
                                    f"-P{self.server.port}", "--skip-ssl", *more],
                                   input=";\n".join(statements) + ";\n", text=True, timeout=180,
                                   capture_output=True, check=False)
                events = [event for event in sniffed.events("mysql")
                          if not event["query"].startswith(("select @@", "SHOW", "SELECT DATABASE"))]
                self.assertEqual([event["query"] for event in events], statements)
                self.assertEqual([event["status"] for event in events],
                                 ["OK"] * 4 + ["Error", "OK"])
                self.assertEqual([event["mysql"]["num_rows"] for event in events],
                                 [1, 0, 0, 2, 0, 0])
                self.assertRegex(events[4]["mysql"]["error_message"], "42S22: Unknown column 'b'")

    def test_response(self):
        """Rows as text, of both kinds, within the limits that were set"""
        settings = os.path.join(self.folder, "x.yml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("protocols:\n  mysql: {send_request: true, send_response: true, max_rows: 2, "
                       "max_row_length: 12}\n")
        with self.sniff() as sniffed:
            client = mysql_client.Client(self.server.port, database="shop")
            client.query("select seq as n, 'a,\"b\"' as t, null as z from seq_1_to_5")
            statement = client.prepare("select seq, 1.5e0 x, 'abcdefghijklm' t from seq_7_to_9")
            client.execute(statement)
            client.quit()
        events = sniffed.events("mysql", "-c", settings)
        self.assertEqual([event.get("response") for event in events], [
            "n,t,z\n1,\"a,\"\"b\"\"\",NULL\n2,\"a,\"\"b\"\"\",NULL\n", None,
            "seq,x,t\n7,1.5,abcdefgh\n8,1.5,abcdefgh\n"])
        self.assertEqual(events[0]["request"], events[0]["query"])

    def test_long_statements(self):
        """A statement of 200 KiB is told whole, prepared as well"""
        statement = "select length('" + "x" * 200 * 1024 + "') as n"
        with self.sniff() as sniffed:
            client = mysql_client.Client(self.server.port, database="shop")
            client.query(statement)
            client.execute(client.prepare(statement))
            client.quit()
        events = sniffed.events("mysql")
        self.assertEqual([event["query"] == statement for event in events], [True] * 3)
        self.assertEqual([event.get("error") for event in events], [None] * 3)

    def test_failed_login(self):
        """A login that fails is no transaction"""
        with self.sniff() as sniffed:
            with self.assertRaises(mysql_client.ServerError):
                mysql_client.Client(self.server.port, user="nobody", password="secret")
        self.assertEqual(sniffed.events("mysql"), [])


if __name__ == "__main__":
    tap.main()
