// SPDX-License-Identifier: Apache-2.0
/* Handlers for those who watch over the agent: is it alive, is it ready, what is it. */
#pragma once

#include "api/exchange.h"

/* GET /api/v1/health, /healthz: 503 when the figures have stood still for HEALTH_STALL_SECONDS. */
void get_health(struct exchange *x);
/* GET /api/v1/ready, /readyz: 503 until the taps are open and the workers run. */
void get_health_ready(struct exchange *x);
/* The pktvisor whose interface this is: its clients complain of one with another major number. */
#define HEALTH_PKTVISOR_VERSION "4.5.0"

/* GET /api/v1/metrics/app: {"app": {"version", "up_time_min", ...}}, pktvisor's shape and more. */
void get_health_app(struct exchange *x);

enum { HEALTH_STALL_SECONDS = 10 };
