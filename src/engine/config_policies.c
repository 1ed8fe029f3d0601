// SPDX-License-Identifier: Apache-2.0
#include "engine/config_policies.h"

#include <string.h>

#include "base/tree.h"
#include "policy/yaml_tree.h"

bool config_policies_key(const char *name)
{
    return strcmp(name, "policies") == 0 || strcmp(name, "global_handler_config") == 0;
}

static void begin(struct config *config)
{
    config->policies_memory = tree_memory_new();
    config->policies = tree_take(config->policies_memory, sizeof *config->policies);
    *config->policies = tree_map();
}

bool config_policies_keep(struct config *config, const char *key, yaml_document_t *document,
                          const yaml_node_t *node, struct err *err)
{
    struct tree part;
    if (config->policies == NULL) {
        struct tree visor = tree_map();
        begin(config);
        tree_add(config->policies_memory, config->policies, "visor", &visor);
    }
    int number = (int)(node - document->nodes.start) + 1;
    return yaml_tree_of(config->policies_memory, document, number, &part, err) &&
           tree_add(config->policies_memory, &config->policies->items[0], key, &part);
}

bool config_policies_keep_all(struct config *config, yaml_document_t *document, struct err *err)
{
    begin(config);
    return yaml_tree_of(config->policies_memory, document, 1, config->policies, err);
}
