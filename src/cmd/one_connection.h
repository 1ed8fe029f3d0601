// SPDX-License-Identifier: Apache-2.0
/* `vantage read --connection`: one connection of a capture, in words or as a picture. A picture takes
 * two passes: the first tells what connections there are, the second draws the one that is meant. */
#pragma once

#include "engine/engine.h"

struct one_connection {
    const struct config *config; /* of the captures, with flows.health */
    const char *name;            /* which one: see connection_choose() */
    const char *picture;         /* file for the SVG, - for standard output, or NULL */
    bool as_event;               /* print its event instead of the report */
};

/* Prints or draws it; the exit status. */
int one_connection_answer(const struct one_connection *wanted);
