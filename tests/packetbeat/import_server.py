"""A small, strict receiver of the import API of Kibana and OpenSearch Dashboards for tests. Neither is in
Debian, so this stands in for them: it holds a request to what their documentation says of it, and objects
to what can be known without drawing them (JSON, ids, references). That they are drawn as meant it cannot
tell."""
import email.parser
import email.policy
import json

from answering_server import AnsweringServer

INNER = ("visState", "uiStateJSON", "panelsJSON", "optionsJSON", "fieldFormatMap")
NEWEST = {"visualization": (7, 10, 0), "search": (7, 9, 3), "dashboard": (7, 9, 3),
          "index-pattern": (7, 6, 0)}  # what OpenSearch Dashboards takes at most
COMMON = {"title", "description", "version", "kibanaSavedObjectMeta"}
ATTRIBUTES = {  # others Kibana refuses from 8.8 on
    "visualization": COMMON | {"visState", "uiStateJSON", "savedSearchRefName"},
    "search": COMMON | {"columns", "sort", "hits", "grid"},
    "dashboard": COMMON | {"panelsJSON", "optionsJSON", "hits", "timeRestore", "timeFrom", "timeTo"},
    "index-pattern": {"title", "timeFieldName", "fields", "fieldFormatMap", "name"}}


class ImportServer(AnsweringServer):
    """`objects` are those taken, by (type, id)."""

    def __init__(self):
        super().__init__()
        self.objects = {}
        self.answers = []    # (status, value) of the next requests, before any is taken
        self.refuse = lambda saved: None  # the error of an object, None: taken
        self.start()

    def answer(self, method, path, headers, data):
        if method != "POST":
            return 405, {"statusCode": 405, "error": "Method Not Allowed", "message": method}
        if self.answers:
            return self.answers.pop(0)
        if not path.endswith("/api/saved_objects/_import?overwrite=true"):
            return 404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}
        for name in ("kbn-xsrf", "osd-xsrf"):
            if not headers.get(name):
                return 400, {"statusCode": 400, "error": "Bad Request",
                             "message": "Request must contain a %s header." % name}
        name, text = self.unpack(headers, data)
        if not name.endswith(".ndjson"):
            return 400, {"statusCode": 400, "error": "Bad Request",
                         "message": "Invalid file extension"}
        return 200, self.take([json.loads(line) for line in text.splitlines()])

    def unpack(self, headers, data):
        """The one part of a form: the name of its file, and what is in it."""
        head = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n"
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + data)
        if form.get_content_type() != "multipart/form-data" or not form.is_multipart() or form.defects:
            self.faults.append("no form: %s, %r" % (headers["Content-Type"], form.defects))
            return "", ""
        part, = form.iter_parts()
        if part.get_param("name", header="content-disposition") != "file":
            self.faults.append("the part is %r" % part["content-disposition"])
        return part.get_filename() or "", part.get_payload(decode=True).decode()

    def take(self, saved):
        keys = [(each["type"], each["id"]) for each in saved]
        if len(set(keys)) != len(keys):
            self.faults.append("an id comes twice")
        errors = []
        for key, each in zip(keys, saved):
            self.look(each)
            missing = [{"type": r["type"], "id": r["id"]} for r in each["references"]
                       if (r["type"], r["id"]) not in keys and (r["type"], r["id"]) not in self.objects]
            error = self.refuse(each)
            if missing:
                error = {"type": "missing_references", "references": missing}
            if error:
                errors.append({"type": key[0], "id": key[1], "title": each["attributes"]["title"],
                               "error": error})
            else:
                self.objects[key] = each
        value = {"success": not errors, "successCount": len(saved) - len(errors)}
        return {**value, "errors": errors} if errors else value

    def look(self, saved):
        """What can be wrong with an object by itself."""
        attributes = saved["attributes"]
        names = [r["name"] for r in saved["references"]]
        unknown = set(attributes) - ATTRIBUTES.get(saved["type"], set(attributes))
        if unknown:
            self.faults.append("%s: nobody knows %s" % (saved["id"], unknown))
        for name in INNER:
            if name in attributes:
                json.loads(attributes[name])
        source = json.loads(attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
        if source.get("indexRefName", names[0] if names else None) not in [*names, None]:
            self.faults.append("%s: its index is none of its references" % saved["id"])
        for panel in json.loads(attributes.get("panelsJSON", "[]")):
            if panel["panelRefName"] not in names:
                self.faults.append("%s: %s is none of its references" % (saved["id"], panel))
        for kind, version in saved.get("migrationVersion", {}).items():
            if tuple(map(int, version.split("."))) > NEWEST.get(kind, (0,)):
                self.faults.append("%s: version %s is too new" % (saved["id"], version))
