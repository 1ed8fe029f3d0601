#!/bin/sh
# lint.sh [all]: what is worth knowing before a commit and too slow for every `make test`: house rules,
# warnings as errors with gcc and with clang, the floors, and clang-tidy on the files that differ from
# the last commit (or that it changed), or on all of them.
set -eu
cd "$(dirname "$0")/.."
failed=0
export NINJA_FLAGS='--quiet -k 0'

echo "lint: house rules"
tools/house.py || failed=1
for compiler in gcc clang; do
    echo "lint: warnings of $compiler"
    folder=build-lint/$compiler
    [ -f "$folder/build.ninja" ] ||
        CC=$compiler meson setup "$folder" --werror -Db_sanitize=none -Doptimization=1 >/dev/null
    tools/build.sh "$folder" || failed=1
done
echo "lint: floors"
tools/build.sh build-shared || failed=1

if [ "${1:-}" = all ]; then
    files=$(find src -name '*.c')
else
    files=$(git diff --name-only --diff-filter=d HEAD -- 'src/*.c'
            git ls-files --others --exclude-standard -- 'src/*.c')
    [ -n "$files" ] || files=$(git diff --name-only --diff-filter=d HEAD~1 -- 'src/*.c')
fi
files=$(printf '%s\n' $files | grep -v '_test\.c$' | sort -u || true)
if [ -n "$files" ]; then
    echo "lint: clang-tidy"
    printf '%s\n' $files | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build-lint/clang || failed=1
fi
exit $failed
