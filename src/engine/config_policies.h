// SPDX-License-Identifier: Apache-2.0
/* Private to the configuration: what it says of policies is kept as it stands, in pktvisor's schema,
 * for those who make policies of it (policy/policy.h). The loader of YAML calls it. */
#pragma once

#include <stdio.h>
#include <yaml.h>

#include "engine/config.h"

/* Whether a key of the root belongs to policies. */
bool config_policies_key(const char *name);

/* Keeps the value of such a key, or of `taps` where they have names; false and err when it is too
 * large. */
bool config_policies_keep(struct config *config, const char *key, yaml_document_t *document,
                          const yaml_node_t *node, struct err *err);

/* Writes what the reference page says of them. */
void config_policies_reference(FILE *out);

/* Keeps a whole configuration of pktvisor: a document with `visor`. */
bool config_policies_keep_all(struct config *config, yaml_document_t *document, struct err *err);
