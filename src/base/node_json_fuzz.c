// SPDX-License-Identifier: Apache-2.0
/* Any bytes: what is read as JSON is written as JSON that reads the same, on one line and on several. */
#include <stdlib.h>

#include "base/json_check.h"
#include "base/node_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nodes tree = {0};
    struct json once, twice, pretty;
    json_init(&once);
    json_init(&twice);
    json_init(&pretty);
    struct node *root = node_json_parse(&tree, span_of(data, size));
    if (root != NULL) {
        node_json_write(&once, root);
        require(json_check(once.data, once.size));
        struct node *again = node_json_parse(&tree, span_of(once.data, once.size));
        require(again != NULL);
        node_json_write(&twice, again);
        require(span_equal(span_of(once.data, once.size), span_of(twice.data, twice.size)));
        node_json_pretty(&pretty, root);
        node_json_escape_html(&pretty, 0);
        struct node *back = node_json_parse(&tree, span_of(pretty.data, pretty.size));
        require(back != NULL);
        json_done(&twice);
        json_init(&twice);
        node_json_write(&twice, back);
        require(span_equal(span_of(once.data, once.size), span_of(twice.data, twice.size)));
    }
    json_done(&once);
    json_done(&twice);
    json_done(&pretty);
    node_done(&tree);
    return 0;
}
