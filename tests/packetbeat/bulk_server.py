"""A small, strict receiver of Elasticsearch's bulk API for tests: what it is sent must be well formed, or it
says so. Its answers can be told beforehand."""
import json

from answering_server import AnsweringServer


class BulkServer(AnsweringServer):
    """`documents` are those taken, as (index, document)."""

    def __init__(self, distribution=None):
        super().__init__()
        self.documents = []
        self.puts = {}
        self.statuses = []      # of the next bulk requests, before any is taken
        self.refuse = lambda document: None  # status of a document, None: taken
        self.distribution = distribution
        self.version = "8.17.0"
        self.start()

    def answer(self, method, path, headers, data):
        if path.split("?")[0].endswith("/_bulk") and method == "POST":
            return self.bulk(headers, data)
        if method == "GET" and path == "/":
            version = {"number": self.version}
            if self.distribution:
                version = {"number": "2.11.0", "distribution": self.distribution}
            return 200, {"version": version}
        is_early = tuple(map(int, self.version.split(".")[:2])) < (7, 9)
        if is_early and path.startswith("/_index_template/"):
            return 400, {"error": "no handler found for uri [%s] and method [%s]" % (path, method)}
        if method == "PUT":
            self.puts[path] = json.loads(data)
            return 200, {"acknowledged": True}
        if method == "GET":
            return (200, {}) if path in self.puts else (404, {"error": {"reason": "missing"}})
        return 405, {"error": {"reason": method}}

    def bulk(self, headers, data):
        if self.statuses:
            status = self.statuses.pop(0)
            if status != 200:
                return status, {"error": {"reason": "as told"}}
        if headers.get("Content-Type") != "application/x-ndjson":
            self.faults.append("Content-Type is %r" % headers.get("Content-Type"))
        if not data.endswith(b"\n"):
            self.faults.append("the body does not end with a newline")
        lines = data.split(b"\n")[:-1]
        if len(lines) % 2:
            self.faults.append("an action without a document")
        items = []
        for action, text in zip(lines[::2], lines[1::2]):
            items.append(self.one(json.loads(action), json.loads(text)))
        return 200, {"took": 1, "errors": any("error" in i["create"] for i in items), "items": items}

    def one(self, action, document):
        if list(action) != ["create"] or not action["create"].get("_index"):
            self.faults.append("action %r" % action)
            return {"create": {"status": 400, "error": {"type": "x", "reason": "bad action"}}}
        if "@timestamp" not in document or "@metadata" in document:
            self.faults.append("a document without @timestamp, or with @metadata")
        status = self.refuse(document)
        if status:
            return {"create": {"status": status,
                               "error": {"type": "document_parsing_exception", "reason": "as told"}}}
        self.documents.append((action["create"]["_index"], document))
        return {"create": {"status": 201, "_index": action["create"]["_index"]}}
