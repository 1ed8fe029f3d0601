// SPDX-License-Identifier: Apache-2.0
/* What a cluster needs before the first document: a lifecycle policy and an index template that makes a
 * data stream. Both are left alone when they are there, unless they are to be written over. */
#pragma once

#include "sink/elastic_http.h"

/* Looks, and puts there what is missing. False, and why, when it could not be done now. */
bool elastic_setup(struct elastic_http *http, const struct sink_cluster *cluster, char *why,
                   size_t why_size);
