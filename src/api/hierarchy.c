// SPDX-License-Identifier: Apache-2.0
#include "api/hierarchy.h"

#include <assert.h>
#include <stdlib.h>

#include "wire/packet.h"

enum { LAYER_VALUES = 1 << PACKET_LAYER_BITS };

/* No tree is built: paths are sorted so that those below one node stand together, and a node is a
 * run of them that share their layers down to its depth. */
struct node {
    const struct board_path *paths;
    uint32_t count;
    uint64_t packets;
    uint64_t bytes;
};

static unsigned layer_at(const struct board_path *path, unsigned depth)
{
    if (depth >= PACKET_LAYERS_MAX) {
        return LAYER_NONE;
    }
    return (unsigned)(path->layers >> (depth * PACKET_LAYER_BITS)) & (LAYER_VALUES - 1);
}

static int compare_paths(const void *a, const void *b)
{
    for (unsigned depth = 0; depth < PACKET_LAYERS_MAX; depth++) {
        unsigned left = layer_at(a, depth);
        unsigned right = layer_at(b, depth);
        if (left != right) {
            return left < right ? -1 : 1;
        }
    }
    return 0;
}

static int compare_nodes(const void *a, const void *b)
{
    const struct node *left = a;
    const struct node *right = b;
    return (left->bytes < right->bytes) - (left->bytes > right->bytes);
}

/* The runs of sorted paths that share their layer at `depth`; paths that end above it are none. */
static uint32_t split(const struct board_path *paths, uint32_t count, unsigned depth,
                      struct node nodes[LAYER_VALUES])
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        unsigned layer = layer_at(&paths[i], depth);
        if (layer == LAYER_NONE) {
            continue;
        }
        if (found == 0 || layer_at(nodes[found - 1].paths, depth) != layer) {
            nodes[found++] = (struct node){.paths = &paths[i]};
        }
        struct node *node = &nodes[found - 1];
        node->count++;
        node->packets += paths[i].packets;
        node->bytes += paths[i].bytes;
    }
    return found;
}

static void write_level(const struct board_path *paths, uint32_t count, unsigned depth,
                        struct json *to)
{
    struct node nodes[LAYER_VALUES];
    uint32_t found = split(paths, count, depth, nodes);
    qsort(nodes, found, sizeof(nodes[0]), compare_nodes);
    json_array_begin(to);
    for (uint32_t i = 0; i < found; i++) {
        json_object_begin(to);
        json_key(to, "name");
        json_text(to, packet_layer_name((enum packet_layer)layer_at(nodes[i].paths, depth)));
        json_key(to, "packets");
        json_u64(to, nodes[i].packets);
        json_key(to, "bytes");
        json_u64(to, nodes[i].bytes);
        json_key(to, "children");
        write_level(nodes[i].paths, nodes[i].count, depth + 1, to);
        json_object_end(to);
    }
    json_array_end(to);
}

void hierarchy_json(const struct board_path *paths, uint32_t count, struct json *to)
{
    assert(count <= BOARD_PATHS);
    struct board_path sorted[BOARD_PATHS];
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = paths[i];
    }
    qsort(sorted, count, sizeof(sorted[0]), compare_paths);
    write_level(sorted, count, 0, to);
}
