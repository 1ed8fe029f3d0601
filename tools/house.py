#!/usr/bin/env python3
"""The law of the house as a test: who may use whom, doors, circles, names and sizes.

    tools/house.py           findings, one a line (`file:line: what; remedy`), then the figures
    tools/house.py --tap     the same as a TAP test, one point a rule

The list of rooms and of what each may use is read from src/meson.build: there is no second one to
keep in step. Everything else that can be argued about stands in the tables below; a change of a
budget is a line that somebody reviews. See ARCHITECTURE.md for why these rules are worth it."""
import argparse
import collections
import os
import re
import statistics
import sys

FILE_LINES = 600
FUNCTION_LINES = 100
MUTABLE_GLOBALS = 4

# Headers that other rooms may include, besides a room's door (room/room.h) and what the door itself
# includes of its own room. '*': the room is a shelf of independent parts, each with its own header.
PUBLIC = {
    "base": ["*"],
    "summary": ["*"],
    "handshake": ["*"],
    "hypertext": ["*"],
    "dashboard": ["dashboard_files.h"],
    "flow": ["defrag.h", "health.h", "tcp_graph.h", "tcp_stream.h"],
    "event": ["beat.h", "community.h", "event_log.h", "event_plain.h", "event_writer.h", "networks.h", "pattern.h",
              "processor.h", "transaction.h"],
    "cmd": ["command.h", "options.h", "usage.h"],
    "handler": ["flow_record.h", "hosts.h", "input_resources.h", "pcap_stats.h", "probe_result.h",
                "services.h"],
    "policy": ["yaml_tree.h"],
    "proto": ["proto_cut.h", "proto_draft.h", "proto_gather.h", "proto_guess.h", "proto_reading.h",
              "proto_said.h", "proto_script.h", "proto_stage.h", "proto_waiting.h"],
    "proto/dns": ["dns_message.h", "dns_words.h"],
    "engine": ["beat_config.h", "beat_keystore.h", "board_rows.h", "index_template.h"],
    "sink": ["elastic_check.h", "kibana.h"],
    "wire": ["proxy_header.h"],
    "tap": ["capture_filter.h", "interfaces.h", "pcapwrite.h", "rights.h"],
}

LOGGERS = ["base", "engine", "cmd", "main"]  # who may write log lines
PACKET_PATH = ["wire", "handshake", "hypertext", "proto"]  # rooms that never allocate, print or log
NOT_ON_PACKET_PATH = ("malloc calloc realloc strdup strndup asprintf free printf fprintf puts "
                      "pthread_mutex_lock").split()


class Source:
    """One C file: its text without comments and strings, where it stands and what it includes."""

    def __init__(self, root, path):
        self.path = path  # from src/: "proto/dns/dns.c"
        self.text = read(root, "src", path)
        self.code = blank(self.text)
        self.includes = [(line_of(self.text, m.start()), m[1])
                         for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]*)"', self.text, re.M)]
        self.is_test = re.search(r"_(test|fuzz|bench)\.c$|_(stage|drive|said|script)\.h$", path) is not None

    @property
    def room(self):
        return room_of(self.path)


def room_of(path):
    """src/proto/dns/dns.c is of the room proto/dns, src/proto/proto.c of proto."""
    parts = path.split("/")
    if len(parts) == 1:
        return os.path.splitext(path)[0]
    return "/".join(parts[:2]) if parts[0] == "proto" and len(parts) > 2 else parts[0]


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def blank(text):
    """The text with comments, strings and preprocessor lines turned to spaces, lines kept."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def spaces(match):
        kept = match[0][0] if match[0][0] in "\"'" else ""
        body = re.sub(r"[^\n]", " ", match[0])
        return kept + body[1:-1] + kept if kept else body

    text = token.sub(spaces, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]), text,
                  flags=re.M)


def statements(code):
    """The file-scope statements of blanked code: (start, end, text before a body, has a body)."""
    depth, start, body = 0, 0, None
    for position, character in enumerate(code):
        if character == "{":
            if depth == 0:
                body = position
            depth += 1
        elif character == "}":
            depth -= 1
            head = code[start:body] if depth == 0 else ""
            if depth == 0 and re.search(r"\)\s*$", head) and "=" not in head:
                yield start, position, head, True
                start, body = position + 1, None
        elif character == ";" and depth == 0:
            yield start, position, code[start:body if body is not None else position], False
            start, body = position + 1, None


def functions(source):
    """(name, first line, last line) of every function that the file defines."""
    for start, end, head, is_function in statements(source.code):
        name = re.search(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.S))
        if is_function and name:
            first = start + len(head) - len(head.lstrip())
            yield name[1], line_of(source.code, first), line_of(source.code, end)


def is_mutable(declaration):
    """Whether this defines a variable that can change: `const char *x` can, `char *const x` not."""
    what = re.split(r"=", declaration)[0].strip()
    if not what or re.match(r"(typedef|extern|_Static_assert|static_assert)\b", what):
        return False
    if re.search(r"\bpthread_once_t\b", what):
        return False  # the guard of a variable that is counted itself
    if re.match(r"(static\s+|const\s+)*(struct|union|enum)(\s+\w+)?$", what) or what.startswith("enum"):
        return False  # a type, or its declaration
    if re.search(r"\(", what) and not re.search(r"\(\s*\*", what):
        return False  # a prototype
    last_star = what.rfind("*")
    return not re.search(r"\bconst\b", what[last_star + 1:] if last_star >= 0 else what)


def mutable_globals(source):
    for start, _, head, is_function in statements(source.code):
        if is_function:
            continue
        first = start + len(head) - len(head.lstrip())
        if is_mutable(head):
            yield line_of(source.code, first), " ".join(head.split())
    for match in re.finditer(r"^[ \t]+static\s+(?!inline)([^;(){}=]+)[;=]", source.code, re.M):
        if is_mutable(match[1]):
            yield line_of(source.code, match.start()), " ".join(match[0].split())


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def rooms_of(plan):
    """Room → the rooms that it may use, from the list in src/meson.build."""
    rows = re.findall(r"^  \['([\w*/]+)', \[([^\]]*)\],", plan, re.M)
    rooms = {name: set(re.findall(r"[\w*/]+", used)) for name, used in rows}
    rooms["main"] = {"base", "cmd"}
    return rooms


def sources_of(root):
    found = []
    for folder, _, files in os.walk(os.path.join(root, "src")):
        found += [os.path.relpath(os.path.join(folder, name), os.path.join(root, "src"))
                  for name in files if re.fullmatch(r"\w[\w-]*\.[ch]", name)]
    return [Source(root, path) for path in sorted(found)]


class House:
    def __init__(self, root):
        self.root = root
        self.plan = read(root, "src/meson.build")
        self.rooms = rooms_of(self.plan)
        self.sources = sources_of(root)
        self.by_path = {source.path: source for source in self.sources}
        self.figures = []

    # Each rule below yields findings: (path, line, text). Its docstring is its name.

    def rule_includes(self):
        """a room includes only itself and what it may use, by full path from src/"""
        for source in self.sources:
            for line, path in source.includes:
                if path not in self.by_path:
                    yield source.path, line, (f'"{path}" is no header under src/; '
                                              'write its path from src/, or <name> for the system')
                elif not self.may_use(source.room, room_of(path)):
                    yield source.path, line, (f"{source.room} may not use {room_of(path)}; move the "
                                              "code down, or take the value from the caller")

    def may_use(self, room, other):
        if room == other or room.startswith("proto/") and other == "proto":
            return True  # the door of the wing is what its plug-ins implement
        row = "proto/*" if room.startswith("proto/") else room
        return other in self.rooms.get(row, ())

    def rule_doors(self):
        """a room is entered by its door, not by its private headers"""
        for source in self.sources:
            for line, path in source.includes:
                room = room_of(path)
                if path in self.by_path and room != source.room and path not in self.public(room):
                    yield source.path, line, (f"{path} is private to {room}; include its door, or "
                                              "list it under PUBLIC in tools/house.py")

    def public(self, room):
        """The headers of a room that others may include."""
        named = PUBLIC.get(room, [])
        if "*" in named:
            return {path for path in self.by_path if room_of(path) == room}
        found, todo = set(), [f"{room}/{name}" for name in named]
        todo.append(f"{room}/{room.split('/')[-1]}.h")
        while todo:
            path = todo.pop()
            if path in self.by_path and path not in found and room_of(path) == room:
                found.add(path)
                todo += [included for _, included in self.by_path[path].includes]
        return found

    def rule_circles(self):
        """no header includes itself by way of others"""
        state, path = {}, []

        def visit(name):
            state[name] = "open"
            path.append(name)
            for line, included in self.by_path[name].includes:
                if state.get(included) == "open":
                    circle = path[path.index(included):] + [included]
                    yield name, line, " -> ".join(circle) + "; forward-declare a struct instead"
                elif included in self.by_path and included not in state:
                    yield from visit(included)
            path.pop()
            state[name] = "done"

        for source in self.sources:
            if source.path.endswith(".h") and source.path not in state:
                yield from visit(source.path)

    def rule_heads(self):
        """every file names its licence, every header has `#pragma once` and an essay"""
        for source in self.sources:
            lines = source.text.split("\n")
            if lines[0] != "// SPDX-License-Identifier: Apache-2.0":
                yield source.path, 1, "begin with // SPDX-License-Identifier: Apache-2.0"
            if source.path.endswith(".h"):
                if "\n#pragma once\n" not in source.text:
                    yield source.path, 1, "no #pragma once; add it below the essay"
                if not lines[1:2] or not lines[1].startswith("/*"):
                    yield source.path, 2, ("no essay; say in a comment what it is, who owns what, "
                                           "which thread, bounds and cost")

    def rule_names(self):
        """file names are unique, every plug-in of a list is there, every source is on a list"""
        seen, listed = {}, set(re.findall(r"'([\w-]+)'", self.plan))
        for source in self.sources:
            name = os.path.basename(source.path)
            stem, extension = os.path.splitext(name)
            if extension == ".c" and not source.is_test and stem not in listed | {"main"} \
                    and not source.room.startswith("proto/"):
                yield source.path, 1, "is not built; add it to its room in src/meson.build"
            if name in seen:
                yield source.path, 1, f"is called as src/{seen[name]} is; rename one"
            seen[name] = source.path
        for match in re.finditer(r"^(tap|proto|sink|cmd)s = \[([^\]]*)\]", self.plan, re.M):
            for name in re.findall(r"'([^']+)'", match[2]):
                path = f"proto/{name}/{name}.c" if match[1] == "proto" else f"{match[1]}/{name}.c"
                if path not in self.by_path:
                    yield "meson.build", line_of(self.plan, match.start()), (
                        f"'{name}' is listed and src/{path} is not there; write it or unlist it")

    def rule_sizes(self):
        """files and functions stay within their budgets"""
        lengths = []
        for source in self.sources:
            if source.is_test:
                continue
            count = source.text.count("\n")
            if count > FILE_LINES:
                yield source.path, 1, f"{count} lines, budget {FILE_LINES}; make two files of it"
            for name, first, last in functions(source):
                lengths.append(last - first + 1)
                if lengths[-1] > FUNCTION_LINES:
                    yield source.path, first, (f"{name}() has {lengths[-1]} lines, budget "
                                               f"{FUNCTION_LINES}; name its parts")
        if len(lengths) > 1:
            self.figures += [f"{len(lengths)} functions",
                             f"median {statistics.median(lengths):.0f} lines",
                             f"p95 {statistics.quantiles(lengths, n=20)[-1]:.0f}",
                             f"longest {max(lengths)}"]

    def rule_globals(self):
        """hardly any variable outlives the call that uses it"""
        found = [(source.path, line, text) for source in self.sources if not source.is_test
                 for line, text in mutable_globals(source)]
        self.figures.append(f"{len(found)} mutable globals")
        if len(found) > MUTABLE_GLOBALS:
            for path, line, text in found:
                yield path, line, (f"`{text}` is one of {len(found)} mutable globals, budget "
                                   f"{MUTABLE_GLOBALS}; let its owner hold it")

    def rule_path(self):
        """no allocation, lock or print where packets pass; only cmd and engine log"""
        banned = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(NOT_ON_PACKET_PATH))
        log = re.compile(r"\blog_(error|warning|info|debug)\s*\(")
        for source in self.sources:
            if source.is_test:
                continue
            if source.room.split("/")[0] in PACKET_PATH:
                for match in banned.finditer(source.code):
                    yield source.path, line_of(source.code, match.start()), (
                        f"{match[1]}() on the packet path; the engine owns the memory, and failures "
                        "are values")
            if source.room not in LOGGERS:
                for match in log.finditer(source.code):
                    yield source.path, line_of(source.code, match.start()), (
                        "only cmd/ and engine/ log; return a struct err, or count")

    def rule_plan(self):
        """the may-use table of ARCHITECTURE.md is that of src/meson.build"""
        text = read(self.root, "ARCHITECTURE.md")
        rows = re.findall(r"^\| `(\w+(?:/\*)?)` \|([^|]*)\|", text, re.M)
        written = {room: set(re.findall(r"`([\w*/]+)`", used)) for room, used in rows}
        for room in sorted(set(self.rooms) | set(written)):
            if written.get(room) != self.rooms.get(room) and room != "main":
                row = text.find(f"| `{room}` |")
                yield "../ARCHITECTURE.md", line_of(text, max(row, 0)), (
                    f"the row of {room} is not that of src/meson.build; write the same in both")


def main():
    parser = argparse.ArgumentParser(description="Checks the law of the house.")
    parser.add_argument("--tap", action="store_true", help="print TAP, one point a rule")
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), ".."),
                        help="the tree to check; default: the one this script is in")
    tap, root = parser.parse_args().tap, parser.parse_args().root
    house = House(root)
    rules = [name for name in vars(House) if name.startswith("rule_")]
    failed = 0
    if tap:
        print(f"1..{len(rules)}")
    for number, name in enumerate(rules, 1):
        rule = getattr(house, name)
        findings = sorted(set(rule()))
        failed += len(findings)
        for path, line, text in findings:
            place = os.path.normpath(os.path.join("src", path))
            print(f"{'# ' if tap else ''}{place}:{line}: {text}")
        if tap:
            print(f"{'not ' if findings else ''}ok {number} - {rule.__doc__}")
    kinds = collections.Counter(os.path.splitext(source.path)[1] for source in house.sources)
    figures = [f"{kinds['.c']} .c, {kinds['.h']} .h"] + house.figures
    print(f"{'# ' if tap else ''}{'; '.join(figures)}" + ("" if tap else f"; {failed} findings"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
