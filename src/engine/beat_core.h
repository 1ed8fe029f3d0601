// SPDX-License-Identifier: Apache-2.0
/* Private to the reading of Packetbeat's configuration: its parts, by sections of the document. */
#pragma once

#include "engine/beat_value.h"
#include "sink/sink.h"

bool beat_read_taps(struct beat_reading *r);
bool beat_read_flows(struct beat_reading *r);
bool beat_read_processes(struct beat_reading *r);
bool beat_read_protocols(struct beat_reading *r);
bool beat_read_outputs(struct beat_reading *r);
/* cloud.id and cloud.auth, in place of hosts and user. */
bool beat_read_cloud(struct beat_reading *r, struct sink_cluster *cluster);
/* The URL of the Kibana that cloud.id names; NULL when it names none. */
const char *beat_cloud_kibana(struct beat_reading *r);
/* setup.kibana and setup.dashboards; behind the outputs, whose user may be theirs. */
bool beat_read_kibana(struct beat_reading *r);
/* setup.template and setup.ilm, into the cluster that documents go to. */
void beat_read_setup(struct beat_reading *r, struct sink_cluster *cluster);
/* Names all that nobody used. */
void beat_tell_leftovers(struct beat_reading *r);
