#!/bin/sh
# keep_config.sh FILE FOLDER: installs the reference configuration as the configuration, unless there
# is one already.
set -eu
to="${DESTDIR:-}$2/vantage.yml"
[ -e "$to" ] || install -D -m 644 "$1" "$to"
