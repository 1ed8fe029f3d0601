// SPDX-License-Identifier: Apache-2.0
/* What a user of Packetbeat asks for beside the documents of his configuration: the command line. */
#pragma once

#include "engine/beat_source.h"

struct beat_arguments {
    struct beat_source source;
    const char *hostname;  /* instead of this machine's, or NULL */
    const char *capture;   /* a file to read instead of interfaces, or NULL */
    bool top_speed;        /* read it without regard to its times */
    bool steps;            /* read it packet by packet, as lines come in on standard input */
    bool publishes;        /* false: events go nowhere */
};
