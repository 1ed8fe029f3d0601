// SPDX-License-Identifier: Apache-2.0
/* Index templates and lifecycle policies for clusters of Elasticsearch and OpenSearch: a data stream in
 * which our fields have their types (template_types.h), and others the type that their names tell. Cold
 * path. */
#pragma once

#include "base/json.h"
#include "base/node.h"

struct index_template {
    const char *pattern; /* of the names of data streams: "packetbeat-8.17.0*" */
    const char *beat;    /* whose it is, for _meta */
    const char *version;
    const char *policy;  /* lifecycle policy; NULL: none */
    const struct node *settings; /* a map that is merged into the index settings, or NULL */
};

/* Appends the template. */
void index_template_write(struct json *to, const struct index_template *options);

/* The lifecycle policy that is put there unless the user has one: a new index each 30 days or 50 GB. */
extern const char index_template_policy[];
