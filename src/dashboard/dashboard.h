// SPDX-License-Identifier: Apache-2.0
/* The door of dashboard/: dashboards for Kibana and OpenSearch Dashboards over the events that are put into
 * a cluster. A dashboard is a row of charts, a chart a query, what is measured and what it is split by
 * (dashboard_table.c); all else that a saved object wants is the same for all and is made here: JSON in
 * JSON, references, places on the grid. The objects say that they are of version 7.10, the oldest that both
 * programs share: a newer one brings them up to date as it takes them, a stamp beyond 7.10 OpenSearch
 * Dashboards would refuse.
 *
 * Knows no events: that each field is one and has a fitting type is what engine/template_types_test.c holds
 * the table to. Pure but for the buffers that it grows. Cold path. */
#pragma once

#include "base/json.h"

enum {
    DASHBOARD_MEASURES = 4,
    DASHBOARD_SPLITS = 3,
    DASHBOARD_COLUMNS = 10,
    DASHBOARD_ID = 128, /* room for an id */
};

enum dashboard_kind {
    DASHBOARD_LINE,
    DASHBOARD_AREA, /* one above the other */
    DASHBOARD_BARS, /* likewise */
    DASHBOARD_PIE,
    DASHBOARD_TABLE,
    DASHBOARD_NUMBERS,
    DASHBOARD_EVENTS, /* the events themselves, the latest first: a saved search */
};

enum dashboard_measured {
    DASHBOARD_COUNT = 1, /* of events; no field */
    DASHBOARD_SUM,
    DASHBOARD_MAX,
    DASHBOARD_MIN,
    DASHBOARD_PERCENTILES, /* the 50th and the 95th */
    DASHBOARD_DISTINCT,    /* how many values there are */
};

struct dashboard_measure {
    enum dashboard_measured what; /* 0: the end of them */
    const char *field;
    const char *label;
};

struct dashboard_split {
    const char *field; /* "@timestamp": by time; NULL: the end of them */
    unsigned most;     /* values, by the first measure; not of time */
    bool is_ascending; /* the least first */
};

struct dashboard_chart {
    const char *name;  /* a word, of its id */
    const char *title; /* NULL: the end of the row */
    enum dashboard_kind kind;
    const char *query; /* KQL */
    struct dashboard_measure measures[DASHBOARD_MEASURES];
    struct dashboard_split splits[DASHBOARD_SPLITS];
    const char *columns[DASHBOARD_COLUMNS]; /* of DASHBOARD_EVENTS */
};

struct dashboard {
    const char *name;  /* a word, of its id; NULL: the end of the table */
    const char *title;
    const char *description;
    const char *note; /* shown on it: what fills it; "" for nothing */
    const struct dashboard_chart *charts;
};

extern const struct dashboard dashboards[];

/* The dashboard of that id or name; NULL when there is none. */
const struct dashboard *dashboard_find(const char *id);
/* "vantage-NAME". */
void dashboard_id(char ret[DASHBOARD_ID], const struct dashboard *dashboard);

/* Saved objects, a line each. `index` is a pattern of names of indices, and the id of the object that
 * stands for it. */
void dashboard_write_pattern(struct json *to, const char *index);
/* A dashboard behind all its charts. */
void dashboard_write(struct json *to, const struct dashboard *dashboard, const char *index);
