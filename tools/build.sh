#!/bin/sh
# build.sh FOLDER: configures the build folder of that name if need be, and builds it.
#
# A release folder that is new is built twice: first a program that counts what it does, which train.sh has
# work; then the one that is optimised for that. Later builds go by the same counts, but for what has
# changed since. PROFILE=again counts again; PROFILE=none, for a folder that is new, does without, as clang
# does here.
#
# Meson looks for tests, fuzz targets, goldens and the sources of a protocol by their names when it
# configures; so a file that came or went since makes it configure again.
# shellcheck disable=SC2086 # options are words
set -eu
cd "$(dirname "$0")/.."
folder=$1

options=''
case $(basename "$folder") in
*-release*)
    options='-Ddebug=true -Doptimization=3 -Db_sanitize=none -Db_lto=true -Db_pie=true'
    options="$options -Dhardening=true -Dtests=false -Db_pgo=off" ;;
*-tsan*)
    options='-Db_sanitize=thread' ;;
*-shared*)
    options='-Db_sanitize=none -Doptimization=0 -Ddefault_library=shared -Dtests=false' ;;
*-fuzz*)
    options='--buildtype=debugoptimized -Doptimization=2 -Dfuzz=true -Dtests=false'
    export CC=clang ;;
esac

# Configures with these options a folder that is new, or anew one that is not: of Meson 1.0 `configure`
# alone changes all kinds of options then.
set_up() {
    mkdir -p "$folder"
    if [ -f "$folder/build.ninja" ]; then
        [ $# -eq 0 ] || meson configure "$folder" "$@"
        set -- --reconfigure
    fi
    meson setup "$folder" "$@" >"$folder/setup.log" 2>&1 || { cat "$folder/setup.log" >&2; exit 1; }
}

build() {
    ninja -C "$folder" ${NINJA_FLAGS:---quiet} "$@"
}

# A mark in the folder: it is to be trained, or somebody broke off while it was.
untrained=$folder/untrained
case $(basename "$folder"):${PROFILE:-} in
*-release*:none)
    [ ! -f "$untrained" ] || { set_up $options; rm "$untrained"; } ;;
*-release*:again)
    mkdir -p "$folder"; touch "$untrained" ;;
*-release*:)
    if [ ! -f "$folder/build.ninja" ] && ! "${CC:-cc}" --version | grep -q clang; then
        mkdir -p "$folder"; touch "$untrained"
    fi ;;
esac

# A build folder that others made by hand keeps the options that it was given.
files=$(find src tests -name '*.[ch]' -o -name '*.pcap*' -o -name data | LC_ALL=C sort)
if [ -f "$untrained" ]; then
    # What is counted is taken before most is optimised: the first program needs no optimising linker.
    echo "$folder: builds a program that counts what it does, and then one that is optimised for that"
    set_up $options -Db_pgo=generate -Db_lto=false -Ddebug=false
    find "$folder" -name '*.gcda' -delete
    build src/vantage
    tools/train.sh "$folder/src/vantage"
    set_up -Db_pgo=use -Db_lto=true -Ddebug=true
    rm "$untrained"
elif [ ! -f "$folder/build.ninja" ]; then
    set_up $options
elif [ "$files" != "$(cat "$folder/files.list" 2>/dev/null)" ]; then
    set_up
fi
printf '%s\n' "$files" >"$folder/files.list"
build
