// SPDX-License-Identifier: Apache-2.0
/* What Packetbeat's configuration says of dashboards: which, and the Kibana that they go to. Texts are never
 * NULL; they live as long as the configuration. */
#pragma once

#include "sink/sink.h"

struct beat_kibana {
    struct sink_cluster cluster; /* Kibana, as one that takes HTTP */
    const char *space;           /* "" for the default one */
    bool is_named;               /* somebody said where it is, or something of dashboards */
    bool is_wanted;              /* setup.dashboards.enabled: at each start */
    bool is_unwanted;            /* ... said to be false */
    const char *index;           /* the index pattern */
    bool has_index;              /* setup.dashboards.index says so */
    const char *folder, *file;   /* the user's own dashboards; "" for none */
    const char *beat;
    const char *url;             /* where they would have to be fetched, with its place in front; "" */
    bool retries;
    int64_t retry_ns;
    int64_t retry_most;          /* 0: without end */
};
