// SPDX-License-Identifier: Apache-2.0
/* The endpoints of Elastic's Beats, which Metricbeat's module `beat` and Elastic Agent read: who this is
 * (/), its counters (/stats), its state (/state). Served where the agent speaks Packetbeat's dialect; /
 * is the page for whoever asks for HTML. Numbers are those of the board and of the process; what nobody
 * counts here (duplicates, toomany, dead_letter, read bytes) is 0. */
#pragma once

#include "api/exchange.h"

/* Whether this request is for one of them. */
bool get_beat_serves(const struct exchange *x);

/* Fills in the reply. */
void get_beat(struct exchange *x);
