#!/usr/bin/env python3
"""What a client asks a real PostgreSQL is what the events say, one to one: simple and extended queries,
parameters, rows, errors, COPY, pipelines, cancel; from the start of the connection and from its middle."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import databases  # noqa: E402
import libpq  # noqa: E402
import sniffer  # noqa: E402
import tap  # noqa: E402

INT2, INT4, INT8, FLOAT8 = 21, 23, 20, 701


class Told:
    """What the client did, as the events should tell it."""

    def __init__(self, connection):
        self.connection = connection
        self.wanted = []

    def note(self, sql, result, params=None, method=None, rows=None):
        answer = {"method": method or sql.split()[0].upper(), "query": sql.strip(), "params": params}
        if result[3]:
            answer.update(status="Error", code=result[3])
        else:
            answer.update(status="OK", rows=result[0] if rows is None else rows, fields=result[1],
                          affected=result[2] if not result[0] and rows is None else 0)
        self.wanted.append(answer)

    def query(self, sql):
        self.note(sql, self.connection.query(sql))

    def execute(self, sql, *values):
        shown = ["NULL" if value is None else value for value in values]
        self.note(sql, self.connection.execute(sql, values), shown or None)


def told(event):
    """The same of an event."""
    pgsql = event.get("pgsql", {})
    answer = {"method": event["method"], "query": event["query"], "params": event.get("params"),
              "status": event["status"]}
    if event["status"] == "Error":
        return {**answer, "code": pgsql.get("error_code", event["event"].get("reason"))}
    return {**answer, "rows": pgsql["num_rows"], "fields": pgsql["num_fields"],
            "affected": pgsql.get("affected_rows", 0)}


def run_simple(t):
    t.query("create table goods (id serial primary key, name text, price numeric)")
    t.query("insert into goods (name, price) values ('nail', 0.5), ('screw; bolt', 1.25), (null, 3)")
    t.query("select * from goods")
    t.query("  select name, $$a;b$$ from goods where id = 2 ")
    t.query("update goods set price = 2")
    t.query("select nothing from goods")
    t.query("selec 1")
    t.query("insert into goods (id) values (1)")
    t.query("do $$ begin raise notice 'hear, hear'; end $$")
    t.query("select i, repeat('x', 100) from generate_series(1, 3000) i")
    t.query("select repeat('y', 300000)")
    t.query("set client_min_messages = warning")
    t.query("listen news")
    t.query("notify news, 'extra'")


def run_extended(t):
    t.execute("select $1::int + 1, $2::text", "41", "many 'words'; more")
    t.execute("insert into goods (name, price) values ($1, $2)", None, "7.5")
    t.execute("select $1::int", "no number")
    t.execute("select from from")
    t.execute("select 1/$1::int", "0")
    t.connection.execute("set search_path = public")
    sql = "select name from goods where id >= $1"
    t.note(sql, t.connection.prepare("by id", sql), method="PREPARE")
    for value in ("1", "2", "99"):
        t.note(sql, t.connection.execute_prepared("by id", [value]), [value])
    sql = "selekt"
    t.note(sql, t.connection.prepare("bad", sql), method="PREPARE")
    sql = "select $1, $2, $3, $4"
    values = [struct.pack(">h", -7), struct.pack(">i", 70000), struct.pack(">q", 1 << 40),
              struct.pack(">d", 0.1)]
    t.note(sql, t.connection.execute_binary(sql, [INT2, INT4, INT8, FLOAT8], values, True),
           ["-7", "70000", "1099511627776", "0.1"])


def run_copy(t):
    sql = "copy goods (name, price) from stdin"
    t.note(sql, t.connection.copy_in(sql, [b"a\t1\nb\t2\n", b"c\t3\n" * 1000]))
    rows = t.connection.copy_out("copy goods to stdout")
    t.note("copy goods to stdout", (0, 0, 0, None), rows=rows)
    sql = "copy goods (name, price) from stdin"
    t.note(sql, t.connection.copy_in(sql, [b"a\tno number\n"]))


def run_pipeline(t):
    statements = [("select $1::int", ["1"]), ("select 2, 3", []), None, ("select 4", []),
                  ("select 1/0", []), ("select 5", []), None, ("select 6", []), None]
    for statement, result in zip(statements, t.connection.pipeline(statements)):
        if statement is None:
            continue
        sql, values = statement
        if result[4] == libpq.PIPELINE_ABORTED:
            result = (0, 0, 0, "aborted")
        t.note(sql, result, values or None)


def run_several(t):
    """Statements of one query, of which libpq tells the last one only."""
    t.connection.query("select 1; select ';', 2; update goods set price = 1 where false")
    t.note("select 1", (1, 1, 0, None))
    t.note("select ';', 2", (1, 2, 0, None))
    t.note("update goods set price = 1 where false", (0, 0, 0, None))
    t.connection.query("select 1; select 1/0; select 2")
    t.note("select 1", (1, 1, 0, None))
    t.note("select 1/0", (0, 0, 0, "22012"))
    t.note("select 2", (0, 0, 0, "aborted"))


def run_all(t):
    for part in (run_simple, run_extended, run_copy, run_pipeline, run_several):
        part(t)


class Pgsql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = sniffer.missing() or databases.Postgres.missing()
        if reason or not libpq.library():
            raise unittest.SkipTest(reason or "needs libpq5")
        cls.server = databases.Postgres().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        self.maxDiff = 6000
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with libpq.Connection(self.server.port) as connection:
            connection.query("drop table if exists goods")

    def sniff(self):
        return sniffer.Sniffer(self.server.port, os.path.join(self.folder, "said.pcap"))

    def test_start(self):
        """Everything, from the start: SCRAM is passed over"""
        with self.sniff() as sniffed, libpq.Connection(self.server.port) as connection:
            self.assertTrue(connection.is_fine)
            t = Told(connection)
            run_all(t)
        events = sniffed.events("pgsql")
        self.assertEqual([told(event) for event in events], t.wanted)
        self.assertEqual({event["user"]["name"] for event in events}, {"postgres"})
        error = next(event for event in events if event["query"] == "selec 1")
        self.assertEqual(error["pgsql"]["error_severity"], "ERROR")
        self.assertIn("selec", error["pgsql"]["error_message"])

    def test_refused(self):
        """TLS and GSS that the server refuses"""
        with self.sniff() as sniffed, libpq.Connection(self.server.port, sslmode="prefer",
                                                       gssencmode="prefer") as connection:
            self.assertTrue(connection.is_fine)
            t = Told(connection)
            t.query("select 1")
        self.assertEqual([told(event) for event in sniffed.events("pgsql")], t.wanted)

    def test_middle(self):
        """Everything on a connection that is met midway"""
        with libpq.Connection(self.server.port) as connection:
            connection.query("select 1")
            with self.sniff() as sniffed:
                t = Told(connection)
                run_all(t)
            self.assertEqual([told(event) for event in sniffed.events("pgsql")], t.wanted)

    def test_cancel(self):
        """A statement that is cancelled, and the request to do so, without its secret"""
        with self.sniff() as sniffed, libpq.Connection(self.server.port) as connection:
            connection.send("select pg_sleep(600)")
            self.wait_for_sleep()
            self.assertTrue(connection.cancel())
            self.assertEqual(connection.results()[0][3], "57014")
        events = {event["method"]: event for event in sniffed.events("pgsql")}
        self.assertEqual(set(events), {"SELECT", "CANCEL"})
        self.assertEqual(events["SELECT"]["pgsql"]["error_code"], "57014")
        self.assertRegex(events["CANCEL"]["query"], r"^CANCEL \d+$")

    def wait_for_sleep(self):
        """Until the statement runs: one that has not begun is not cancelled. Asked over a Unix socket, where
        nobody listens."""
        end = time.monotonic() + databases.PATIENCE
        with libpq.Connection(self.server.port, host=self.server.data) as unheard:
            while unheard.query("select from pg_stat_activity where wait_event = 'PgSleep'")[0] == 0:
                self.assertLess(time.monotonic(), end, "the statement does not begin")
                time.sleep(0.05)

    def test_failed_login(self):
        """A login that fails is no transaction"""
        with self.sniff() as sniffed, libpq.Connection(self.server.port, "wrong") as connection:
            self.assertFalse(connection.is_fine)
        self.assertEqual(sniffed.events("pgsql"), [])

    def test_response(self):
        """Rows as text, of both forms, within the limits that were set"""
        settings = os.path.join(self.folder, "x.yml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("protocols:\n  pgsql: {send_request: true, send_response: true, max_rows: 2, "
                       "max_row_length: 12}\n")
        with self.sniff() as sniffed, libpq.Connection(self.server.port) as connection:
            connection.query("select i n, 'a,\"b\"' t, null z from generate_series(1, 5) i")
            connection.execute_binary("select $1 + 1 n, 'abcdefghijklm'::text t, 1.5::float8 x",
                                      [INT4], [struct.pack(">i", 6)], True)
        events = sniffed.events("pgsql", "-c", settings)
        self.assertEqual([event["response"] for event in events], [
            "n,t,z\n1,\"a,\"\"b\"\"\",\n2,\"a,\"\"b\"\"\",\n", "n,t,x\n7,abcdefghijk,\n"])
        self.assertEqual(events[0]["request"], events[0]["query"])

    def test_long_statements(self):
        """A statement of 200 KiB is told whole, in the extended protocol as well"""
        statement = "select length('" + "x" * 200 * 1024 + "') as n, $1 + 1 as m"
        with self.sniff() as sniffed, libpq.Connection(self.server.port) as connection:
            connection.query(statement.replace("$1", "1"))
            connection.execute_binary(statement, [INT4], [struct.pack(">i", 6)], True)
        events = sniffed.events("pgsql")
        self.assertEqual([event["query"] == statement for event in events], [False, True])
        self.assertEqual([len(event["query"]) for event in events],
                         [len(statement) - 1, len(statement)])
        self.assertEqual([event.get("error") for event in events], [None] * 2)

    def test_pgbench(self):
        """pgbench, prepared and extended: as many statements as it says transactions"""
        program = databases.Postgres.program("pgbench")
        if not program:
            self.skipTest("needs pgbench")
        script = os.path.join(self.folder, "x.sql")
        with open(script, "w", encoding="utf-8") as file:
            file.write("\\set a random(1, 9)\nselect :a + 1;\nselect 'two', :a;\n")
        for mode in ("simple", "extended", "prepared"):
            with self.subTest(mode=mode):
                with self.sniff() as sniffed:
                    done = subprocess.run(
                        [program, "-n", "-h", "127.0.0.1", "-p", str(self.server.port), "-U",
                         "postgres", "-c", "4", "-t", "50", "-M", mode, "-f", script, "postgres"],
                        env={**os.environ, "PGPASSWORD": "open sesame"}, capture_output=True,
                        text=True, timeout=180, check=True)
                count = int(re.search(r"actually processed: (\d+)", done.stdout)[1])
                events = [event for event in sniffed.events("pgsql")
                          if event["method"] == "SELECT" and "pg_" not in event["query"]]
                self.assertEqual(len(events), 2 * count)
                self.assertEqual({event["status"] for event in events}, {"OK"})
                self.assertEqual({event["pgsql"]["num_rows"] for event in events}, {1})


if __name__ == "__main__":
    tap.main()
