// SPDX-License-Identifier: Apache-2.0
#include "policy/exports.h"

#include <stdlib.h>

#include "policy/netflow.h"
#include "policy/sflow.h"

struct exports {
    enum export_kind kind;
    struct netflow_templates *templates; /* NULL: sFlow has none */
};

struct exports *exports_new(enum export_kind kind)
{
    struct exports *exports = calloc(1, sizeof *exports);
    if (exports == NULL) {
        return NULL;
    }
    exports->kind = kind;
    exports->templates = kind == EXPORT_NETFLOW ? netflow_templates_new() : NULL;
    if (kind == EXPORT_NETFLOW && exports->templates == NULL) {
        exports_free(exports);
        return NULL;
    }
    return exports;
}

void exports_free(struct exports *exports)
{
    if (exports != NULL) {
        netflow_templates_free(exports->templates);
        free(exports);
    }
}

bool exports_read(struct exports *exports, const struct export_datagram *datagram,
                  const struct export_sink *sink)
{
    return exports->kind == EXPORT_NETFLOW ? netflow_read(exports->templates, datagram, sink)
                                           : sflow_read(datagram, sink);
}
