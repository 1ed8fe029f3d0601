// SPDX-License-Identifier: Apache-2.0
/* The door of sink/: where results go. The output thread alone calls a sink. Encoded events come
 * as whole NDJSON lines, several at a time; a sink that cannot keep up or fails says so in its
 * status and counts what it lost, it never stops the agent. The process ignores SIGPIPE, so that a
 * pipe whose reader went away is a failed write and not the end of the agent. */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "base/text.h"

/* A cluster that takes documents over HTTP: Elasticsearch and what speaks like it. Texts are never NULL. */
struct sink_cluster {
    struct text_list hosts;     /* "host:9200" or URLs */
    const char *scheme;         /* "http://" or "https://", for hosts that name none */
    const char *path;           /* in front of all others; "" */
    const char *parameters;     /* "a=b&c=d" of bulk requests; "" */
    struct text_list headers;   /* "Name: value" */
    const char *index;          /* event/pattern.h */
    const char *pipeline;
    const char *username, *password, *api_key;
    const char *ca_file, *certificate_file, *key_file, *key_password;
    const char *verify;         /* full, certificate or none */
    const char *proxy;
    int64_t compression;        /* gzip level; 0: none */
    int64_t bulk_events;        /* most of them in a request */
    int64_t bulk_wait_ns;       /* how long it waits for more of them */
    int64_t queue_bytes;
    int64_t queue_events;       /* at most; 0: as many as fit */
    int64_t timeout_ns;
    int64_t retries;            /* of a document that is refused for now; negative: without end */
    int64_t backoff_ns, backoff_max_ns;
    int64_t close_ns;           /* how long the rest may take at the end */
    const char *template_name;  /* an index template to put there; "" for none */
    const char *template_text;  /* its JSON */
    bool template_overwrite;
    const char *policy_name;    /* a lifecycle policy likewise; Elasticsearch only */
    const char *policy_text;
    bool policy_overwrite;
    bool balances;              /* requests go round the hosts */
    bool is_direct;             /* no proxy, whatever the environment says */
    const char *tls_least;      /* TLSv1.0 to TLSv1.3; NULL: what the library thinks fit */
    const char *tls_most;
};

/* A receiver of metrics: OTLP or Prometheus remote write. Who it is reached as is in a sink_cluster, too. */
struct sink_push {
    const char *url;
    const char *token;            /* "Authorization: Bearer"; "" for none */
    struct text_list attributes;  /* "NAME=VALUE": of the resource, or labels of all series */
    const char *temporality;      /* OTLP: cumulative or delta */
    const char *histograms;       /* exponential, classic, or auto: the sink chooses */
    const char *journal;          /* a directory; "" for none */
    int64_t interval_ns;
    int64_t top;                  /* items of a top-N, at most */
    bool compresses;              /* OTLP: gzip */
};

struct sink_options {
    const char *path;       /* file: where to write */
    uint64_t rotate_bytes;  /* file: begin a new file beyond this size; 0: never */
    uint32_t keep;          /* file: rotated files to keep */
    uint32_t mode;          /* file: permissions of a new one; 0: 0640 */
    bool rotate_on_start;   /* file: what is there becomes the first rotated one */
    bool is_dated;          /* file: path is the stem of names: see sink/dated.h */
    bool makes_folder;      /* file: folders that are missing above it are made */
    bool pretty;            /* events over several lines */
    bool escape_html;
    const char *format;     /* event/pattern.h; NULL or empty: JSON */
    const struct sink_cluster *cluster; /* of HTTP: borrowed as long as the sink lives */
    const struct sink_push *push;       /* likewise */
    bool waits;             /* the source can wait: what does not fit is waited for, not lost */
};

struct sink_status {
    uint64_t events;  /* delivered */
    uint64_t bytes;
    uint64_t lost;    /* events given up on */
    uint64_t waiting; /* events in a queue of the sink's own */
    uint64_t refused; /* of those lost: that the other side would not have */
    uint64_t retries; /* requests sent again */
    char last_error[200]; /* empty: all is well */
};

/* Metrics at a moment: walk() calls the visitor with one point after the other (summary/point.h),
 * while what they are made of is locked. */
struct point;
struct sink_snapshot {
    uint64_t time_ns;    /* wall clock, since 1970 */
    uint64_t started_ns; /* the agent */
    bool is_minute;      /* a minute has ended since the last one: points of a period are new */
    bool is_last;        /* the agent ends */
    void (*walk)(const struct sink_snapshot *snapshot,
                 void (*visit)(void *context, const struct point *point), void *context);
};

struct sink; /* opaque: each plug-in's own */

struct sink_kind {
    const char *name;
    const char *help;
    struct sink *(*open)(const struct sink_options *options, struct err *err);
    /* Takes `count` events as NDJSON lines. False and err when the sink is broken for good (a
     * closed pipe, a full disk on standard output): the caller stops writing to it. NULL: it takes
     * none; nor has it flush. */
    bool (*write)(struct sink *sink, struct span lines, uint32_t count, struct err *err);
    bool (*flush)(struct sink *sink, struct err *err);
    /* Takes the metrics, every interval; must not block. NULL: it takes none. */
    void (*snapshot)(struct sink *sink, const struct sink_snapshot *snapshot);
    void (*status)(const struct sink *sink, struct sink_status *ret);
    /* No more comes: what waits is delivered or given up, and the status is the last one. Before close();
     * NULL: nothing ever waits. */
    void (*end)(struct sink *sink);
    void (*close)(struct sink *sink);
};

const struct sink_kind *sink_kind_find(const char *name);
extern const struct sink_kind *const sink_kinds[];
