// SPDX-License-Identifier: Apache-2.0
/* Files that are part of the program: the web page. The build makes a table of each bundle
 * (tools/bundle.py); a room that wants one declares it where it uses it:
 *
 *     extern const struct bundle_file web_bundle[];  linked into api/: the files of web/dist
 *
 * Constant; any thread. */
#pragma once

#include "base/span.h"

struct bundle_file {
    const char *path; /* within the bundle: "index.html", "assets/app.js" */
    const char *type; /* media type: "text/html; charset=utf-8" */
    const char *etag; /* of the content, without quotes */
    struct span data;
    struct span gzip; /* the same, gzipped; empty where that saves nothing */
};

/* The file of that path in a table that ends with a NULL path, or NULL. */
const struct bundle_file *bundle_find(const struct bundle_file *bundle, const char *path);
