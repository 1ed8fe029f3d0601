// SPDX-License-Identifier: Apache-2.0
/* Private to the configuration: `protocols`, whose keys are not of the schema but of the option tables
 * of the protocols (proto/proto_option.h). Each protocol that reads conversations has a table of rows
 * like all others, made when the configuration is, over an options struct of its own. */
#pragma once

#include "engine/config_keys.h"

/* Makes config->protocols, with the defaults. */
void config_protocols_default(struct config *config);

/* Gives back what the protocols' prepare() made. */
void config_protocols_release(struct config *config);

/* Rules between the options of one protocol: that its ports are ports, and what its prepare() finds. */
bool config_protocol_check(const struct config_protocol *protocol, struct err *err);

/* The row that `path`, "http.ports", names, and whose it is; NULL and err when there is none. */
const struct config_key *config_protocol_key(const struct config *config, const char *path,
                                             struct config_protocol **ret_protocol, struct err *err);

/* The protocol of that name, NULL and err (with the nearest one) when there is none. */
struct config_protocol *config_protocol_named(const struct config *config, const char *name,
                                              struct err *err);
