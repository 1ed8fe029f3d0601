#!/bin/sh
# build.sh FOLDER: configures the build folder of that name if need be, and builds it.
#
# Meson looks for tests, fuzz targets, goldens and the sources of a protocol by their names when it
# configures; so a file that came or went since makes it configure again.
set -eu
cd "$(dirname "$0")/.."
folder=$1

options=''
case $(basename "$folder") in
*-release*)
    options='--buildtype=debugoptimized -Doptimization=3 -Db_sanitize=none -Db_lto=true -Db_pie=true'
    options="$options -Dhardening=true -Dtests=false" ;;
*-tsan*)
    options='-Db_sanitize=thread' ;;
*-shared*)
    options='-Db_sanitize=none -Doptimization=0 -Ddefault_library=shared -Dtests=false' ;;
*-fuzz*)
    options='--buildtype=debugoptimized -Doptimization=2 -Dfuzz=true -Dtests=false'
    export CC=clang ;;
esac
# A build folder that others made by hand keeps the options that it was given.
files=$(find src tests -name '*.[ch]' -o -name '*.pcap*' -o -name data | LC_ALL=C sort)
if [ ! -f "$folder/build.ninja" ]; then
    # shellcheck disable=SC2086 # options are words
    meson setup "$folder" $options >"$folder.log" 2>&1 ||
        { cat "$folder.log" >&2; rm -f "$folder.log"; exit 1; }
    mv "$folder.log" "$folder/setup.log"
elif [ "$files" != "$(cat "$folder/files.list" 2>/dev/null)" ]; then
    meson setup --reconfigure "$folder" >"$folder/setup.log" 2>&1 ||
        { cat "$folder/setup.log" >&2; exit 1; }
fi
printf '%s\n' "$files" >"$folder/files.list"
exec ninja -C "$folder" ${NINJA_FLAGS:---quiet}
