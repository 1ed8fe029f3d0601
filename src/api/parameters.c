// SPDX-License-Identifier: Apache-2.0
#include "api/parameters.h"

#include <string.h>

#include "base/suggest.h"

struct reading {
    struct exchange *x;
    const struct parameter *table;
    void *values;
    uint32_t seen; /* a bit a row of the table */
    bool refused;
};

static void refuse_unknown(struct reading *r, const char *name)
{
    struct suggest suggest = suggest_of(name);
    for (const struct parameter *p = r->table; p != NULL && p->name != NULL; p++) {
        suggest_offer(&suggest, p->name);
    }
    if (suggest.best != NULL) {
        exchange_refuse(r->x, MHD_HTTP_BAD_REQUEST, "no parameter '%.64s' here: did you mean '%s'?",
                        name, suggest.best);
    } else {
        exchange_refuse(r->x, MHD_HTTP_BAD_REQUEST,
                        "no parameter '%.64s' here: /api/v1/schema lists those of each path", name);
    }
}

/* Reads one parameter; MHD_NO ends the iteration. */
static enum MHD_Result read_one(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    struct reading *r = context;
    r->refused = true; /* until it has been read */
    const struct parameter *p = r->table;
    while (p != NULL && p->name != NULL && strcmp(p->name, name) != 0) {
        p++;
    }
    if (p == NULL || p->name == NULL) {
        refuse_unknown(r, name);
        return MHD_NO;
    }
    uint32_t bit = UINT32_C(1) << (p - r->table);
    if ((r->seen & bit) != 0) {
        exchange_refuse(r->x, MHD_HTTP_BAD_REQUEST, "parameter '%s' is given more than once", name);
        return MHD_NO;
    }
    r->seen |= bit;
    const char *text = value != NULL ? value : "";
    if (strlen(text) > PARAMETER_VALUE_MAX || !p->read(text, r->values)) {
        exchange_refuse(r->x, MHD_HTTP_BAD_REQUEST, "parameter '%s' takes %s, not '%.64s'", name,
                        p->takes, text);
        return MHD_NO;
    }
    r->refused = false;
    return MHD_YES;
}

bool parameters_read(struct exchange *x, const struct parameter *table, void *values)
{
    struct reading r = {.x = x, .table = table, .values = values};
    MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, read_one, &r);
    return !r.refused;
}
