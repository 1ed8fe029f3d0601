// SPDX-License-Identifier: Apache-2.0
/* Templates of NetFlow 9 (RFC 3954) and IPFIX (RFC 7011): how records look that an exporter will send,
 * and by what it samples. They are known by exporter and domain, live for an hour and a half after they
 * were last announced, and stand in a table of fixed size: in a full neighbourhood the one that was
 * announced longest ago goes. One thread; no allocation after netflow_templates_new(). */
#pragma once

#include "base/cursor.h"
#include "handler/flow_record.h"

enum {
    NETFLOW_FIELDS = 64, /* of a template, when neighbours that are not read count as one */
    NETFLOW_VARIABLE = 65535, /* the length of a field that says its own */
};

/* Who speaks: templates of one are not another's. */
struct netflow_speaker {
    struct flow_address exporter;
    uint16_t version; /* 9, 10 */
    uint16_t port;    /* IPFIX: a session is an address and a port; else 0 */
    uint32_t domain;  /* source ID, observation domain */
};

struct netflow_field {
    uint16_t element; /* IANA's number; 0: stepped over */
    uint16_t size;    /* bytes, or NETFLOW_VARIABLE */
};

struct netflow_template {
    struct netflow_speaker speaker;
    uint16_t id;      /* 256 and above; 0: a free place */
    bool is_options;  /* its records speak of the exporter */
    uint16_t count;
    uint32_t least;   /* bytes of a record, at least */
    uint64_t time_ns; /* when it was announced */
    struct netflow_field fields[NETFLOW_FIELDS];
};

struct netflow_templates; /* opaque */

/* NULL when the system refuses memory (some 600 KB). */
struct netflow_templates *netflow_templates_new(void);
void netflow_templates_free(struct netflow_templates *templates);

/* Keeps those of a set: of templates, or of templates of options. False when it is malformed; what came
 * before that is kept. */
bool netflow_templates_read(struct netflow_templates *templates,
                            const struct netflow_speaker *speaker, struct span set,
                            bool is_options, uint64_t time_ns);

/* The template of that number; NULL: none was announced, or too long ago. */
const struct netflow_template *netflow_templates_find(struct netflow_templates *templates,
                                                      const struct netflow_speaker *speaker,
                                                      uint16_t id, uint64_t time_ns);

/* One packet of so many is sampled: notes it for a sampler of a speaker (0: all of it). */
void netflow_templates_sample(struct netflow_templates *templates,
                              const struct netflow_speaker *speaker, uint64_t sampler,
                              uint32_t rate, uint64_t time_ns);
/* What was noted for that sampler, else for all; 1 when nothing was. */
uint32_t netflow_templates_rate(struct netflow_templates *templates,
                                const struct netflow_speaker *speaker, uint64_t sampler,
                                uint64_t time_ns);
