"""libpq, PostgreSQL's own client library, by ctypes: simple and extended queries, pipelines, COPY,
cancel.

    with Connection(port) as connection:
        rows, columns, affected, error = connection.query("select 1")
"""
import ctypes
import ctypes.util

COMMAND_OK, TUPLES_OK, COPY_OUT, COPY_IN, FATAL = 1, 2, 3, 4, 7
PIPELINE_SYNC, PIPELINE_ABORTED = 10, 11


def library():
    """The library, or None."""
    name = ctypes.util.find_library("pq")
    if not name:
        return None
    pq = ctypes.CDLL(name)
    pointers = ("PQconnectdb", "PQexec", "PQexecParams", "PQprepare", "PQexecPrepared", "PQgetResult",
                "PQgetCancel")
    for function in pointers:
        getattr(pq, function).restype = ctypes.c_void_p
    for function in ("PQerrorMessage", "PQcmdTuples", "PQresultErrorField"):
        getattr(pq, function).restype = ctypes.c_char_p
    return pq


class Connection:
    def __init__(self, port, password="open sesame", **more):
        self.pq = library()
        words = {"host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres",
                 "password": f"'{password}'", "sslmode": "disable", "gssencmode": "disable", **more}
        text = " ".join(f"{name}={value}" for name, value in words.items())
        self.handle = ctypes.c_void_p(self.pq.PQconnectdb(text.encode()))
        self.is_fine = self.pq.PQstatus(self.handle) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pq.PQfinish(self.handle)

    def told(self, result):
        """Rows, columns, rows affected, SQL state of an error; the result is gone then."""
        result = ctypes.c_void_p(result)
        status = self.pq.PQresultStatus(result)
        error = self.pq.PQresultErrorField(result, ord("C"))
        affected = self.pq.PQcmdTuples(result) if status == COMMAND_OK else b""
        told = (self.pq.PQntuples(result), self.pq.PQnfields(result), int(affected or 0),
                error.decode() if error else None, status)
        self.pq.PQclear(result)
        return told

    def query(self, sql):
        """A simple query; what its last statement gave."""
        return self.told(self.pq.PQexec(self.handle, sql.encode()))

    @staticmethod
    def array(values):
        data = [None if value is None else value.encode() for value in values]
        return (ctypes.c_char_p * max(len(data), 1))(*data)

    def execute(self, sql, values=()):
        """An extended query with parameters in text form."""
        return self.told(self.pq.PQexecParams(self.handle, sql.encode(), len(values), None,
                                              self.array(values), None, None, 0))

    def execute_binary(self, sql, types, values, binary_rows=False):
        data = (ctypes.c_char_p * len(values))(*values)
        sizes = (ctypes.c_int * len(values))(*map(len, values))
        formats = (ctypes.c_int * len(values))(*[1] * len(values))
        oids = (ctypes.c_uint * len(values))(*types)
        return self.told(self.pq.PQexecParams(self.handle, sql.encode(), len(values), oids, data,
                                              sizes, formats, 1 if binary_rows else 0))

    def prepare(self, name, sql):
        return self.told(self.pq.PQprepare(self.handle, name.encode(), sql.encode(), 0, None))

    def execute_prepared(self, name, values=()):
        return self.told(self.pq.PQexecPrepared(self.handle, name.encode(), len(values),
                                                self.array(values), None, None, 0))

    def copy_in(self, sql, pieces):
        self.query(sql)
        for piece in pieces:
            self.pq.PQputCopyData(self.handle, piece, len(piece))
        self.pq.PQputCopyEnd(self.handle, None)
        told = self.told(self.pq.PQgetResult(self.handle))
        while self.pq.PQgetResult(self.handle):
            pass
        return told

    def copy_out(self, sql):
        """How many rows came."""
        self.query(sql)
        row, rows = ctypes.c_char_p(), 0
        while self.pq.PQgetCopyData(self.handle, ctypes.byref(row), 0) > 0:
            rows += 1
            self.pq.PQfreemem(row)
        while True:
            result = self.pq.PQgetResult(self.handle)
            if not result:
                return rows
            self.told(result)

    def pipeline(self, statements):
        """Sends statements (sql, values), None for a Sync, all at once; the status of each."""
        self.pq.PQenterPipelineMode(self.handle)
        for statement in statements:
            if statement is None:
                self.pq.PQpipelineSync(self.handle)
            else:
                sql, values = statement
                self.pq.PQsendQueryParams(self.handle, sql.encode(), len(values), None,
                                          self.array(values), None, None, 0)
        told = []
        for statement in statements:
            told.append(self.told(self.pq.PQgetResult(self.handle)))
            if statement is not None:
                self.pq.PQgetResult(self.handle)
        self.pq.PQexitPipelineMode(self.handle)
        return told

    def send(self, sql):
        self.pq.PQsendQuery(self.handle, sql.encode())

    def cancel(self):
        handle = ctypes.c_void_p(self.pq.PQgetCancel(self.handle))
        room = ctypes.create_string_buffer(256)
        done = self.pq.PQcancel(handle, room, 256)
        self.pq.PQfreeCancel(handle)
        return done == 1

    def results(self):
        told = []
        while True:
            result = self.pq.PQgetResult(self.handle)
            if not result:
                return told
            told.append(self.told(result))
