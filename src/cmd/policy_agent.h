// SPDX-License-Identifier: Apache-2.0
/* From a configuration to the policies that it wants: `read` and the agent make them alike. */
#pragma once

#include "base/err.h"
#include "engine/config.h"
#include "policy/policy.h"

/* The policies of a configuration, or NULL with err when something is wrong with them. Only if
 * `config->policies` is there. `recorded`: for files, in which all is one period. */
struct policies *policy_agent_make(const struct config *config, bool recorded, struct err *err);

/* Gives the configuration a tap for each interface that a tap of the policies names; with one, the
 * tap that is there by default goes. */
bool policy_agent_taps(struct config *config, struct err *err);

/* Adds a document (JSON of pktvisor's schema) to what the configuration says of policies: the maps
 * `config`, `taps` and `policies` of `visor`, whose keys take the place of those that are there. */
bool policy_agent_add(struct config *config, const struct json *document, struct err *err);

/* Prints what all policies counted, as pktvisor shows the live bucket of all. */
void policy_agent_print(struct policies *policies);

/* A value of `visor.config`, or NULL. */
const char *policy_agent_value(const struct config *config, const char *key);
