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

/* They are pktvisor's, and its documents have no schema of ours to print. */
void config_policies_reference(FILE *out)
{
    fputs("\n"
          "# Policies, in the words of pktvisor: what to count apart, on which tap, with\n"
          "# which filter. Taps that policies name are a map, in place of the list above:\n"
          "# taps: {NAME: {input_type: pcap, config: {iface: eth0, bpf: port 53}}}.\n"
          "# A whole document of pktvisor (visor: ...) is read as well. docs/inputs.md has\n"
          "# the inputs and their keys, docs/pktvisor.md the rest; `vantage pktvisord\n"
          "# --module-list` names the handlers.\n"
          "#policies:\n"
          "  #resolver:\n"
          "    #kind: collection\n"
          "    #input:\n"
          "      #tap: NAME\n"
          "      #input_type: pcap\n"
          "      # Only packets that match; of this policy alone.\n"
          "      #config: {bpf: port 53}\n"
          "    #handlers:\n"
          "      # Minutes that are kept (1 to 10), per cent of events that are looked at\n"
          "      # deeply, items of a top list, and the share of it that is left out.\n"
          "      #window_config:\n"
          "        #num_periods: 5\n"
          "        #deep_sample_rate: 100\n"
          "        #topn_count: 10\n"
          "        #topn_percentile_threshold: 0\n"
          "      # Side by side; as a list each sees what the one before lets through.\n"
          "      #modules:\n"
          "        #names:\n"
          "          #type: dns\n"
          "          #require_version: \"2.0\"\n"
          "          #filter: {only_qname_suffix: [.example.com]}\n"
          "          #metric_groups: {enable: [top_ecs], disable: [cardinality]}\n"
          "\n"
          "# Options of all handlers of a type, where a policy does not say otherwise.\n"
          "#global_handler_config:\n"
          "  #dns: {public_suffix_list: true}\n",
          out);
}
