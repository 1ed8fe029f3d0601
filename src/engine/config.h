// SPDX-License-Identifier: Apache-2.0
/* The configuration as the engine sees it: plain values, every one filled in. It is made from one
 * YAML file, from a command's options, or from both, and read-only from then on.
 *
 * Each key is a row of the schema (config_keys.c) that gives its type, default, bounds and
 * help; the loader, config_set(), `vantage check` and the reference page all walk that table.
 * The config owns all its strings and lists: they live until config_free(). Cold path, one thread;
 * every list is bounded, so that aliases cannot multiply (no YAML bombs). */
#pragma once

#include "base/err.h"
#include "base/log.h"
#include "base/span.h"
#include "base/text.h"
#include "sink/sink.h"

#include <stdio.h>
#include <sys/socket.h>

struct node;
struct nodes;
struct beat_options;

enum {
    CONFIG_FILE_MAX = 1 << 20,
    CONFIG_ITEMS_MAX = 1024, /* strings of one list */
    CONFIG_TAPS_MAX = 16,
    CONFIG_OUTPUTS_MAX = 16,
    CONFIG_WORKERS_MAX = 64,
    CONFIG_PROBLEMS_MAX = 20,
};

/* One entry of `taps`. */
struct config_tap {
    const char *name; /* unique; default: the kind, numbered where that is taken */
    const char *kind; /* of tap_kinds; keys that are not for this kind are zero */
    struct text_list interfaces; /* live kinds: names, "any", or "auto" for the busiest */
    struct text_list files;      /* captures or directories; "-" is standard input */
    const char *filter;            /* pcap-filter(7), "" for none */
    int64_t snap_len;              /* bytes */
    int64_t ring_size;             /* bytes per worker */
    bool promiscuous;
    bool ignore_outgoing;
    uint64_t given; /* which keys the user wrote: a bit a row of the tap schema */
};

struct config_flows {
    bool enabled;
    bool deltas;          /* counters since the last report instead of since the flow's start */
    bool health;          /* judge TCP connections, too: tcp.connection events */
    bool only_health;     /* ... and make no others; no key, but what a command may ask for */
    const char *health_record; /* ecs, flat, both: the shape of those events */
    int64_t timeout;      /* ns of silence that end a flow, at least 1 s */
    int64_t tcp_timeout;  /* the same by protocol; 0: as timeout */
    int64_t udp_timeout;
    int64_t icmp_timeout;
    int64_t active_timeout; /* ns after which a flow is ended and begun anew; 0: never */
    int64_t period;       /* ns between reports of a flow that goes on; negative: at its end only */
};

struct config_geo {
    const char *city;  /* a database of MaxMind's format; "" for none */
    const char *owner;
};

struct config_processes {
    bool enabled;           /* live: whose sockets they are */
    struct text_list names; /* "NAME=PART": of processes with PART in their command line */
};

struct config_limits {
    int64_t memory;           /* bytes, all tables together */
    int64_t workers;          /* threads on the packet path */
    int64_t flows;            /* most flows at a time, all workers together; 0: from memory */
    int64_t fragments_memory; /* bytes for IP fragments that wait, out of memory */
};

struct config_api {
    bool enabled;
    const char *listen; /* ADDRESS:PORT, IPv6 in brackets */
    const char *token;  /* "" for none */
    const char *certificate_file; /* PEM; "": no TLS */
    const char *key_file;
};

/* One entry of `outputs`. */
struct config_output {
    const char *kind;    /* of sink_kinds */
    const char *path;
    int64_t rotate_size; /* bytes after which a new file begins; 0: never */
    int64_t keep;        /* old files to keep */
    const char *permissions; /* of a new file, octal */
    bool rotate_on_start;
    bool is_dated;       /* `path` is the stem of names with a date, as Packetbeat's */
    bool makes_folder;   /* of `path`; Packetbeat does */
    bool pretty;         /* over several lines, for people */
    bool escape_html;
    const char *format;  /* event/pattern.h: lines that are no JSON; "" for JSON */
    bool makes_template; /* puts an index template for our fields into the cluster */
    struct sink_cluster cluster;
    struct sink_push push;
    uint64_t given;
};

/* What was chosen about one protocol: see proto/proto_option.h. */
struct config_protocol {
    const struct proto *proto;
    void *options; /* its options struct, which begins with a struct proto_settings */
    const struct config_key *keys; /* private: the rows of its options */
    uint64_t given;
};

/* Ports, both ends included. */
struct config_ports {
    uint16_t low;
    uint16_t high;
};

/* How the REST interface of pktvisor is served, where there are policies. */
struct config_pktvisor {
    bool is_only;         /* /metrics is pktvisor's, too */
    bool admin;           /* taps and policies may be made and removed */
    const char *instance; /* a label of all samples, "" for none */
};

struct tree;
struct tree_memory;

struct config {
    struct config_tap *taps; /* default: one afpacket tap on "auto" */
    size_t tap_count;
    struct config_flows flows;
    struct text_list zones; /* "NAME=NETWORK" */
    struct config_geo geo;
    struct config_processes processes;
    struct config_limits limits;
    struct config_api api;
    struct config_output *outputs; /* default: none */
    size_t output_count;
    struct config_protocol *protocols; /* all that read conversations, in the order of protos[] */
    size_t protocol_count;
    struct node *processors;     /* a list for processors_new(), or NULL */
    bool logs_events;                 /* each event is a debug line, too; no key */
    const struct beat_options *beat;  /* events are to be Packetbeat's; no key; NULL: our own */
    struct config_pktvisor pktvisor;  /* no key; what its command asks for */
    /* Policies as a document of pktvisor's schema ("visor" in it); NULL: there are none. */
    struct tree *policies;
    const char *policies_source; /* the file that it is of; NULL: none */
    struct tree_memory *policies_memory;
    enum log_level log_level;
    uint64_t given;               /* which keys the user wrote: a bit a row of the schema */
    struct tree_memory *memory; /* private: what the strings and lists live in; */
    struct nodes *tree;           /* likewise trees */
};

/* What is wrong with a file: whole lines, `FILE:LINE:COLUMN: text`, in the order found. At
 * CONFIG_PROBLEMS_MAX the reading ends. */
struct config_problems {
    size_t count;
    char *lines[CONFIG_PROBLEMS_MAX];
};

/* The defaults. Never NULL: memory that ends this early ends the program. */
struct config *config_new(void);

/* Reads the YAML file at `path` ("-": standard input) over the defaults. NULL when there is any
 * problem, all of which are in `problems`. */
struct config *config_load(const char *path, struct config_problems *problems);

/* The same for text in memory, which errors call `name`. */
struct config *config_parse(const char *name, struct span text, struct config_problems *problems);

/* NULL is fine. */
void config_free(struct config *config);

/* Empties a list of problems; frees its lines. */
void config_problems_done(struct config_problems *problems);

/* Sets one key by its path ("limits.workers", "protocols.http.send_request") as if the file had said
 * so; a list of protocols' options takes texts with commas between them. Keys inside taps and outputs
 * are not reached this way. */
bool config_set(struct config *config, const char *path, const char *value, struct err *err);

/* Appends a tap or output of that kind (a name of the wing's table) with its defaults; NULL when
 * there are CONFIG_TAPS_MAX or CONFIG_OUTPUTS_MAX. */
struct config_tap *config_add_tap(struct config *config, const char *kind);
struct config_output *config_add_output(struct config *config, const char *kind);

/* Forgets all taps (the default one, too): `read` and `live` name their own. */
void config_clear_taps(struct config *config);

/* Where trees of this config live. */
struct nodes *config_tree(struct config *config);

/* Copies `text` to where the config's strings live, to be kept in one of its fields. */
const char *config_text(struct config *config, const char *text);

/* Appends a copy of `text` to a list of this config; the first one replaces a default. */
void config_list_add(struct config *config, struct text_list *list, const char *text);

/* Reads api.listen: a numeric address or "localhost", and a port. */
bool config_address(const char *listen, struct sockaddr_storage *ret, struct err *err);

/* Reads "80" or "8000-8010"; false when it is neither. */
bool config_port_range(const char *text, struct config_ports *ret);

/* Bounds, and rules between keys (a public address needs a token): config_load() has applied them;
 * whoever changed a config afterwards asks again before use. */
bool config_check(const struct config *config, struct err *err);

/* Prints all values as YAML that config_load() reads back the same, but for secrets, which are
 * hidden; defaults are marked. */
void config_print(const struct config *config, FILE *out);

/* Prints the reference page: every key with its default and a comment, ready to load. */
void config_reference(FILE *out);
