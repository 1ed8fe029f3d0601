#!/bin/sh
# install.sh FOLDER DESTDIR PREFIX: installs a build to DESTDIR/PREFIX; DESTDIR may be empty.
set -eu
cd "$(dirname "$0")/.."
folder=$1 destdir=${2:+$(realpath -m "$2")} prefix=$3
now=$(meson introspect --buildoptions "$folder" |
    python3 -c 'import json, sys; print(*(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')
if [ "$now" != "$prefix" ]; then
    meson configure "$folder" "-Dprefix=$prefix" >/dev/null
    ninja -C "$folder" --quiet
fi
DESTDIR=$destdir meson install -C "$folder" --no-rebuild --quiet
echo "installed to $destdir$prefix"
