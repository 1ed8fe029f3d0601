// SPDX-License-Identifier: Apache-2.0
/* The door of policy/: who wants what counted. A policy names a tap (or taps, by their tags), a
 * filter of its own, and handlers with their settings; of each it keeps buckets of a minute of packet
 * time. The dialect, and every document made from it, is pktvisor's.
 *
 * Many policies over one tap cost one decoding: workers hand each packet to their *intake*, which
 * asks every input (a tap with a filter, shared by all policies that name the same) once, and walks
 * its chains of handlers. Blocks go to the set by parcels, as deltas do; the office collects
 * them. Policies and taps may come and go while packets pass.
 *
 * Threads: one worker has one intake. policies_collect() is the office's; all that reads or changes
 * the set may be called by any thread. */
#pragma once

#include "base/err.h"
#include "base/tree.h"
#include "policy/intake.h"
#include "policy/policy_options.h"

struct policies; /* opaque: the set */

/* An empty set; never NULL (memory that ends this early ends the program). */
struct policies *policies_new(const struct policies_options *options);
/* NULL is fine. No intake may be in use. */
void policies_free(struct policies *set);

/* What a document adds. */
enum policies_part { POLICIES_ALL, POLICIES_TAP, POLICIES_POLICY };

/* Why a document was refused, for those who answer requests. */
enum policies_status {
    POLICIES_DONE,
    POLICIES_INVALID,   /* 500 in pktvisor's API */
    POLICIES_CONFLICT,  /* something of that name is there: 409 */
    POLICIES_UNMATCHED, /* no tap matches: 422 */
    POLICIES_UNKNOWN,   /* nothing of that name: 404 */
};

/* Adds what is below `visor` in a document (pktvisor's schema), all or nothing. With POLICIES_TAP or
 * POLICIES_POLICY it must be one of that kind, whose name goes to *ret_name (room for 160). */
enum policies_status policies_load(struct policies *set, const struct tree *document,
                                   enum policies_part part, char *ret_name, struct err *err);
/* The line of the document that was refused last, as far as it is known; 0: it is not. */
uint32_t policies_failed_line(const struct policies *set);
/* The same of text. */
enum policies_status policies_load_text(struct policies *set, struct span text,
                                        enum policies_part part, char *ret_name, struct err *err);
/* Removes a tap, or a policy with what only it needed. */
enum policies_status policies_drop_tap(struct policies *set, const char *name);
enum policies_status policies_drop(struct policies *set, const char *name);

struct policies_geo {
    const char *city;  /* databases of places and of owners; NULL: none */
    const char *owner;
    uint32_t cached;   /* look-ups that are kept, of each */
};

/* Opens the databases. */
bool policies_open_geo(struct policies *set, const struct policies_geo *wanted, struct err *err);
/* Takes databases anew that were replaced, beside all look-ups. True when there is something to tell: a
 * sentence in `note`. One thread, now and then. */
bool policies_refresh(struct policies *set, char *note, size_t size);
/* Reads a registry of names of ports; NULL: none. */
bool policies_open_services(struct policies *set, const char *path, struct err *err);

/* ---- Taps that deliver packets -------------------------------------------------------------- */

struct policies_packet_tap {
    const char *name;
    const char *interface; /* NULL: none given */
    const char *file;      /* likewise */
    const char *filter;    /* of the tap alone; "" for none */
};

/* What packets of live inputs come from: the engine captures there, or reads, for as long as it is
 * listed. */
struct policies_capture {
    uint64_t serial;   /* the same only for the very same input */
    char name[320];    /* what intake_select() is told of its packets */
    char source[512];  /* an interface, or the path of a file */
    bool is_file;
    uint32_t slot;     /* of a file: of the intake that its packets go to */
};

/* Copies up to `max` of them; returns how many there are. Any thread. */
size_t policies_captures(struct policies *set, struct policies_capture *ret, size_t max);

/* The process has given up what it needs no more: inputs that listen begin. */
bool policies_begin(struct policies *set, struct err *err);

/* The taps of type "pcap", by number; false behind the last. */
bool policies_packet_tap(const struct policies *set, size_t index,
                         struct policies_packet_tap *ret);
/* The kinds of finished things (enum intake_kind) that policies want at present. */
uint32_t policies_wanted(struct policies *set);
/* How many inputs of that type (enum handler_input) the policies have. */
uint32_t policies_input_count(struct policies *set, uint32_t kind);

/* Whether the policies are about dnstap and not about packets; reads a file of it, for a set of
 * files. */
bool policies_reads_dnstap(struct policies *set);
/* Whether they read datagrams of flows out of captures: those of an exporter, whatever port it sends
 * from, belong together, for templates come once. */
bool policies_reads_flows(struct policies *set);
bool policies_read_dnstap(struct policies *set, const char *path, struct err *err);

/* ---- The office ----------------------------------------------------------------------------- */

/* Adds what workers have handed over; returns how many parcels there were. */
uint32_t policies_collect(struct policies *set);
/* The workers have ended: adds the rest. */
void policies_finish(struct policies *set);
/* What taps lost since the start, for the handlers that tell. */
void policies_note_drops(struct policies *set, const char *tap, uint64_t os_drops,
                         uint64_t interface_drops);

/* ---- Documents ------------------------------------------------------------------------------ */

/* pktvisor's answers, written to `to`. A name may be "__all" where that is said. */
bool policies_tap_json(struct policies *set, const char *name, struct json *to); /* NULL: all */
bool policies_policy_json(struct policies *set, const char *name, struct json *to);

enum policies_period { POLICIES_BUCKET, POLICIES_WINDOW };

/* The metrics of a policy, or of "__all" ... */
enum policies_status policies_metrics_json(struct policies *set, const char *name,
                                           enum policies_period period, uint64_t number,
                                           struct json *to, struct err *err);
/* ... of the policy "default" in the shape of version 3.0 ... */
enum policies_status policies_default_json(struct policies *set, enum policies_period period,
                                           uint64_t number, struct json *to, struct err *err);
/* ... and as Prometheus text. `instance` is a label of every sample, NULL: none. */
enum policies_status policies_prometheus(struct policies *set, const char *name,
                                         const char *instance, struct json *to);

struct point_walk;
/* The same of all policies as data points (summary/point.h), of the last minute that is over. The set
 * is locked meanwhile. */
void policies_points(struct policies *set, const struct point_walk *walk);

/* A line for each type of input and of handler: "handler dns 2.0". */
void policies_modules_text(struct json *to);

/* The rows of which there are sketches, in the bytes of Apache DataSketches: an object of policies, of
 * their handlers' names, of the rows' paths with dots: "hll", "fi_strings" or "kll_float". */
void policies_sketches_json(struct policies *set, struct json *to);

struct policies_sketch {
    const char *policy;
    const char *handler; /* <policy>-<tap>-<module>, or the first of that module */
    const char *metric;  /* its path, with dots or slashes */
    enum policies_period period;
    uint64_t number;
};
/* Appends the bytes of one. */
enum policies_status policies_sketch(struct policies *set, const struct policies_sketch *wanted,
                                     struct json *to, struct err *err);
