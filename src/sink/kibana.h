// SPDX-License-Identifier: Apache-2.0
/* Kibana and OpenSearch Dashboards: saved objects are brought to them by the import API that both have
 * (POST /api/saved_objects/_import, multipart/form-data). Blocks as long as the time-out says. Cold path. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "sink/sink.h"

struct kibana_answer {
    unsigned taken; /* objects */
    bool is_away;   /* nobody is there, or not ready yet: it may be asked again */
};

/* Brings objects, one a line, to a space ("" for the default one); what is there under their ids is written
 * over. False and err when one of them was not taken: err says what the first one lacks, `told` has
 * a line for each of them. */
bool kibana_import(const struct sink_cluster *kibana, const char *space, struct span objects,
                   struct kibana_answer *ret, struct json *told, struct err *err);
