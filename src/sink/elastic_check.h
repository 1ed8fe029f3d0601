// SPDX-License-Identifier: Apache-2.0
/* A look at a cluster by hand: whether its hosts answer, and its set-up. Blocks; a command's. */
#pragma once

#include "base/err.h"
#include "sink/sink.h"

/* Asks each host who it is (`sets_up` false), or puts template and policy there; what came of it is
 * written to `said`, a line a host. False and err when something failed. */
bool elastic_check(const struct sink_cluster *cluster, bool sets_up, char *said, size_t said_size,
                   struct err *err);
