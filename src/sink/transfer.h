// SPDX-License-Identifier: Apache-2.0
/* What all of a sink's HTTP requests have in common: how its receiver is reached, and that they end when the
 * agent does. */
#pragma once

#include <curl/curl.h>

#include "sink/sink.h"

/* Sets a handle up for requests to a cluster: TLS, credentials, proxy, patience. A request ends early once
 * `*stop` is true; both are borrowed as long as the handle is used. */
void transfer_prepare(CURL *curl, const struct sink_cluster *cluster, const _Atomic bool *stop);
