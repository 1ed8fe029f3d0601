#!/usr/bin/env python3
"""Makes a C file of the files of a folder: `const struct bundle_file NAME[]` (src/base/bundle.h).

    tools/bundle.py --output FILE.c --depfile FILE.d NAME FOLDER
                              the files of the folder
    tools/bundle.py --output FILE.c --depfile FILE.d NAME --npm web
                              the files of web/dist, after `npm run build` in web/
    tools/bundle.py --output FILE.c --depfile FILE.d NAME
                              an empty bundle"""
import argparse
import glob
import gzip
import hashlib
import os
import subprocess
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json",
         ".map": "application/json", ".png": "image/png", ".ico": "image/vnd.microsoft.icon",
         ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
         ".webmanifest": "application/manifest+json"}
LINE = 64  # bytes of a line of the C file


def files_below(folder, without=()):
    found = glob.glob(os.path.join(folder, "**"), recursive=True, include_hidden=False)
    return sorted(path for path in found if os.path.isfile(path)
                  and not set(os.path.relpath(path, folder).split(os.sep)) & set(without))


def npm_build(folder, sources):
    """Brings FOLDER/dist up to date; several build folders share it."""
    dist = os.path.join(folder, "dist")
    built = [os.path.getmtime(path) for path in files_below(dist)]
    if built and min(built) > max(map(os.path.getmtime, sources)):
        return dist
    if not os.path.isdir(os.path.join(folder, "node_modules")):
        sys.exit(f"bundle.py: {folder}/node_modules is not there; run `make setup`, or configure "
                 "with -Dweb=false to go without the page")
    done = subprocess.run(["npm", "run", "--silent", "build"], cwd=folder, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"bundle.py: `npm run build` failed in {folder}:\n{done.stdout}")
    for path in files_below(dist):
        os.utime(path)
    return dist


def literal(data):
    """A C string literal of the bytes, in lines."""
    lines = (data[at:at + LINE] for at in range(0, len(data), LINE))
    return "\n".join('    "' + "".join(f"\\{byte:03o}" for byte in line) + '"' for line in lines)


def span(data):
    if not data:
        return "{NULL, 0}"
    return f"{{(const uint8_t *)\n{literal(data)}, {len(data)}}}"


def entry(path, folder):
    with open(path, "rb") as file:
        data = file.read()
    small = gzip.compress(data, 9, mtime=0)
    if len(small) > len(data) * 9 // 10:
        small = b""
    kind = TYPES.get(os.path.splitext(path)[1], "application/octet-stream")
    return (f'{{"{os.path.relpath(path, folder)}", "{kind}",\n "{hashlib.sha256(data).hexdigest()[:16]}",'
            f"\n {span(data)},\n {span(small)}}},\n")


def main():
    parser = argparse.ArgumentParser(description="Makes a C file of the files of a folder.")
    parser.add_argument("--output", required=True)
    parser.add_argument("--depfile")
    parser.add_argument("--npm", action="store_true")
    parser.add_argument("name")
    parser.add_argument("folder", nargs="?")
    arguments = parser.parse_intermixed_args()
    sources, files, folder = [], [], arguments.folder
    if folder:
        sources = files = files_below(folder)
        if arguments.npm:
            sources = files_below(folder, ("node_modules", "dist"))
            folder = npm_build(folder, sources)
            files = files_below(folder)
    with open(arguments.output, "w", encoding="ascii") as out:
        out.write('/* Made by tools/bundle.py. */\n#include "base/bundle.h"\n\n'
                  f"extern const struct bundle_file {arguments.name}[];\n"
                  f"const struct bundle_file {arguments.name}[] = {{\n")
        out.writelines(entry(path, folder) for path in files)
        out.write("{0}};\n")
    if arguments.depfile:
        with open(arguments.depfile, "w", encoding="utf-8") as out:
            out.write(f"{arguments.output}: {' '.join(p.replace(' ', chr(92) + ' ') for p in sources)}\n")


if __name__ == "__main__":
    main()
