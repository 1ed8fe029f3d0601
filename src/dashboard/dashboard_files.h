// SPDX-License-Identifier: Apache-2.0
/* Saved objects that a user brings: exports of Kibana (an object a line), Packetbeat's own files (an object
 * a file, parts of it as JSON where Kibana wants text), and files of version 7 with a list of `objects`.
 * All become lines for an import. Cold path. */
#pragma once

#include "base/err.h"
#include "base/json.h"

enum {
    DASHBOARD_FILES_MAX = 2000,
    DASHBOARD_FILE_MAX = 16 << 20, /* bytes of one */
    DASHBOARD_BYTES_MAX = 24 << 20, /* of all: Kibana takes 25 MiB unless it is told otherwise */
};

struct dashboard_files {
    const char *path;  /* a file, or a folder and those below it: *.json and *.ndjson */
    const char *beat;  /* where folders have names of Beats, that one's; "" for all */
    const char *index; /* stands in for the index patterns that objects refer to; NULL: as they have it */
    const char *known; /* an index pattern that is brought anyway, and left out here; never NULL */
};

/* Appends the objects as lines. Of folders whose names are numbers (kibana/7, kibana/8) the highest is read.
 * False and err, with FILE:LINE in front, when something is no saved object. */
bool dashboard_files_read(struct json *to, const struct dashboard_files *files, struct err *err);
