// SPDX-License-Identifier: Apache-2.0
/* The door of handler/: what a handler of policies is. A handler counts one kind of thing for
 * one policy: its table says what (summary/metric.h, with the places the metrics have in pktvisor's
 * documents), its hooks fill a block. Policies make instances of it, each with its own settings,
 * filter, block and, in every worker, its own state; what is expensive to parse is parsed once a
 * packet, by a reader, for all instances.
 *
 * A handler is one file and one word in the list `handlers` of src/meson.build. It owns nothing and
 * allocates nothing on the packet path; memory for its settings comes from the policy. Hooks of one
 * run (an instance in a worker) are called by one thread. */
#pragma once

#include "base/err.h"
#include "base/tree.h"
#include "geo/geo.h"
#include "summary/metric.h"
#include "wire/packet.h"

/* ---- What happened -------------------------------------------------------------------------- */

/* Where an event may come from. */
enum handler_input {
    HANDLER_PCAP = 1,
    HANDLER_DNSTAP = 2,
    HANDLER_FLOW = 4,
    HANDLER_NETPROBE = 8,
    HANDLER_MOCK = 16,
};

/* What an event is; a packet that is no fragment is the first two at once. */
enum handler_event_kind {
    HANDLER_FRAME = 1,    /* a packet as it was on the wire: to be counted */
    HANDLER_DATAGRAM = 2, /* its payload is whole: to be read */
    HANDLER_STREAM = 4,   /* a message out of a TCP connection */
    /* What a worker has finished, of the flow's two ends, the client's first; no packet: */
    HANDLER_TRANSACTION = 8, /* a protocol has reported something */
    HANDLER_CONNECTION = 16, /* a TCP connection has ended, or has gone on for a while */
};

enum { HANDLER_FINISHED = HANDLER_TRANSACTION | HANDLER_CONNECTION };

struct handler_reader;
struct event_head;
struct health_record;
struct flow_record;
struct probe_result;

/* The message of an event, read when the first handler asks. */
struct handler_message {
    const struct handler_reader *reader; /* that has tried; NULL: none has */
    bool is_there;
    void *memory; /* of the largest reader's size */
};

struct handler_event {
    uint64_t time_ns;
    uint64_t talk;               /* hash of the conversation, the same for both directions */
    const struct packet *packet; /* NULL: it was no packet */
    const uint8_t *address[2];   /* of source and destination; NULL where there is none */
    uint32_t coupon[2];          /* of the addresses, as far as somebody asked; 0: not yet */
    uint16_t port[2];
    struct span payload;         /* of the datagram, or the message of the stream */
    uint32_t size;               /* bytes, as counted: of the frame on the wire, of the message */
    uint8_t kinds;               /* enum handler_event_kind */
    uint8_t direction;           /* enum frame_direction: in is towards our hosts */
    uint8_t version;             /* 4, 6; 0: no IP */
    uint8_t protocol;            /* IANA number */
    uint8_t tcp_flags;
    uint8_t dnstap_type;         /* of dnstap; 0: none */
    uint8_t dnstap_socket;       /* likewise: its socket protocol */
    const struct flow_record *record;  /* of an input of flows; NULL: none */
    const struct probe_result *result; /* of an input of probes; NULL: none */
    const struct event_head *transaction;    /* what was reported (event/transaction.h), or NULL */
    const struct health_record *connection;  /* what is known of the connection, or NULL */
    const struct health_record *gained; /* its numbers are of what came since it was shown last */
    bool was_shown;                     /* the connection, before; else all that it did is new */
    bool goes_on;                       /* the connection: it will be shown again */
    struct handler_message *message;
};

#define HANDLER_PORT_BIT(port) (UINT64_C(1) << (port) % 64)

/* Reads messages out of datagrams and TCP connections; a constant shared by the handlers that want
 * them. */
struct handler_reader {
    const char *name;
    size_t size;           /* of what it reads into */
    const uint16_t *ports; /* ended by 0: on either end */
    uint64_t port_bits;    /* HANDLER_PORT_BIT() of each: most packets are known by them to have none */
    bool is_tcp, is_udp;
    bool (*read)(struct span bytes, void *message);
    /* The first message in bytes of a connection: its bytes, with *ret_skip of them before it. 0:
     * more is needed. NULL: every piece that comes is one. */
    size_t (*frame)(struct span bytes, size_t *ret_skip);
};

/* Whether the event's ports are the reader's. */
bool handler_reads(const struct handler_reader *reader, const struct handler_event *event);
/* The event's message, or NULL when it is none. Reads it the first time. */
const void *handler_message(const struct handler_reader *reader, struct handler_event *event);

/* ---- Settings ------------------------------------------------------------------------------- */

/* What all handlers of an agent look things up in. */
struct handler_world {
    struct geo *city;  /* NULL: none */
    struct geo *owner; /* likewise */
    const struct services *services; /* likewise: names of ports */
};

/* The settings of every handler; the struct of each begins with them. */
struct handler_settings {
    const struct handler_world *world;
    uint32_t groups; /* a bit for each of the handler's groups */
    uint32_t deep_sample_rate; /* per cent of the events that get all attention */
    uint32_t periods;          /* buckets that are kept */
    uint32_t topn_count;
    uint32_t topn_percentile;
    bool is_recorded;
    bool hides_rates; /* recorded_stream was asked for: seconds mean nothing */
};

/* A reader of settings: options of a merged map, named in errors by the handler's `title`. */
struct handler_options {
    const char *title;
    const struct tree *map;
    struct tree_memory *memory;
};

struct handler_group {
    const char *name;
    bool is_on; /* by default */
};

/* ---- A run: an instance in a worker --------------------------------------------------------- */

enum { HANDLER_RATES = 8 };

struct handler_run {
    /* Where conversations are counted once for several policies (policy/policy_band.h): the runs of each of
     * them alone, for what depends on all that one saw. 0 mates: it counts for one. */
    struct handler_run **mates;
    uint32_t mate_count;
    bool is_touched; /* a mate has put something into this run's block */
    const void *settings; /* begins with struct handler_settings */
    void *block;          /* of the period that the event belongs to */
    void *state;          /* state_size bytes, zeroed at first */
    uint64_t second;      /* to which sums belong */
    uint64_t sums[HANDLER_RATES]; /* of the table's rates, in its order */
    uint64_t random;
    bool takes_messages; /* a handler before it in its chain lets messages through, not packets */
};

/* ---- Parts ---------------------------------------------------------------------------------- */

enum { HANDLER_PART_NAME = 256, HANDLER_PART_LABELS = 4, HANDLER_LABEL_ROOM = 160 };

/* What a part is known by, where one label does not do. */
struct handler_label {
    const char *name; /* NULL: none */
    char value[HANDLER_LABEL_ROOM];
};

/* A part of a block that is counted apart, as a device or a target is. */
struct handler_part {
    const void *block;              /* as the parts' table says; NULL: nothing here */
    double rank;                    /* the highest come first; equal ones by name */
    char name[HANDLER_PART_NAME];   /* its key in documents */
    char label[2 * HANDLER_PART_NAME]; /* the value of its label in Prometheus' text */
    struct handler_label labels[HANDLER_PART_LABELS]; /* where the parts have no `label` */
};

/* The parts of a block, and of each of them again. The set says how to empty and merge them
 * (metric.h: reset, merge). */
struct handler_parts {
    const char *key;   /* "devices": the object that has them, in documents */
    const char *label; /* "device"; NULL: each part has labels */
    const struct metric_set *set;
    /* Part number `number` (from 0) of part number `outer` of those around them, if there are such;
     * false behind the last. */
    bool (*part)(const void *settings, const void *block, uint32_t outer, uint32_t number,
                 struct handler_part *ret);
    const struct handler_parts *inner; /* NULL: none */
    const struct handler_parts *next;  /* others beside them; NULL: none. Not of inner ones */
    bool is_top; /* only the settings' topn_count of them are shown */
};

/* Whether conversations of several policies may be counted together, elsewhere than others of these. */
enum handler_sharing {
    HANDLER_ALONE,     /* no */
    HANDLER_BY_TALK,   /* yes: what it remembers of an event is of one conversation, or is no matter */
    HANDLER_BY_READER, /* yes, of those that its reader does not read: they are nothing to it */
};

struct handler {
    const char *type;     /* "net" */
    const char *version;  /* "1.0" */
    const char *object;   /* its key in documents: "packets" */
    const char *title;    /* in errors: "NetStreamHandler" */
    uint32_t inputs;      /* enum handler_input */
    enum handler_sharing sharing;
    uint32_t finished;    /* the kinds of finished things that it sees, and no packets; 0: packets */
    const struct metric_set *set;
    const struct handler_group *groups; /* ended by a NULL name; NULL: none */
    const char *const *options;         /* names, in the order errors list them; ended by NULL */
    const struct handler_reader *reader; /* of the messages it wants; NULL: none */
    size_t settings_size;
    size_t state_size;

    /* Reads its own settings; names are known to be valid. NULL: there are none. */
    bool (*configure)(const struct handler_options *options, void *settings, struct err *err);
    /* Counts an event that its policy's input let through; true when the next one in the chain shall
     * see it. */
    bool (*on_event)(struct handler_run *run, struct handler_event *event);
    /* Packet time came to now_ns, about every second: what has waited long enough goes. */
    void (*on_tick)(struct handler_run *run, uint64_t now_ns);
    /* What waits in the state of another run, with the same settings, may end in this one. Of its own
     * state: it may end in another one. NULL: nothing waits. */
    void (*inherit)(struct handler_run *run, const void *state);
    /* What the state holds back for the block goes there now. */
    void (*fold)(struct handler_run *run);
    /* Whether a direction (enum frame_direction) has been seen; NULL: there are none. */
    bool (*has_side)(const void *block, unsigned direction);
    const struct handler_parts *parts; /* NULL: its table says all */
};

/* All handlers, NULL-terminated, in the order of the list. */
extern const struct handler *const handlers[];

/* The handler of that type and version; NULL when there is none. */
const struct handler *handler_find(const char *type, const char *version);
/* How many of them. */
uint32_t handler_group_count(const struct handler *handler);

/* ---- For handlers --------------------------------------------------------------------------- */

static inline const struct handler_settings *handler_settings(const struct handler_run *run)
{
    return run->settings;
}

static inline bool handler_wants(const struct handler_run *run, uint32_t groups)
{
    return (handler_settings(run)->groups & groups) == groups;
}

/* Whether this event is one of those that get all attention. */
bool handler_is_deep(struct handler_run *run);

/* An on_tick for those that have nothing to do: that they have one makes minutes in which nothing
 * happens minutes of theirs, too. */
void handler_goes_on(struct handler_run *run, uint64_t now_ns);

/* Adds the sums of the second at hand to the rates of the block, and begins anew. */
void handler_close_second(const struct handler *handler, struct handler_run *run);

/* Bytes of an address of this IP version. */
static inline size_t handler_address_size(unsigned version)
{
    return version == 4 ? 4 : 16;
}

/* The coupon of a text; of the canonical text of an event's address, which is made once for all. */
uint32_t handler_text_coupon(struct span text);
uint32_t handler_make_coupon(struct handler_event *event, unsigned end);
static inline uint32_t handler_coupon(struct handler_event *event, unsigned end)
{
    return event->coupon[end] != 0 ? event->coupon[end] : handler_make_coupon(event, end);
}

struct topn;
/* Adds weight to a name; it is cut to the table's keys. */
void handler_add_name(struct topn *top, struct span name, uint64_t weight);
/* The same for a place. */
void handler_add_place(struct topn *top, const struct geo_place *place, uint64_t weight);

/* ---- For reading settings ------------------------------------------------------------------- */

/* A flag that is there and true. */
bool handler_flag(const struct handler_options *options, const char *name);
/* A whole number, or the fallback. */
uint64_t handler_number(const struct handler_options *options, const char *name,
                        uint64_t fallback);
/* How long a question is waited for, in nanoseconds: xact_ttl_ms or, without it, xact_ttl_secs; the
 * fallback when neither is there, or it is 0. */
uint64_t handler_patience(const struct handler_options *options, uint64_t fallback_ns);
/* A list of texts in lower case, or of one when it is a scalar; empty when it is not there. */
struct handler_words {
    const char **words;
    const char **written; /* the same as the user wrote them */
    size_t count;
};
struct handler_words handler_list(const struct handler_options *options, const char *name);
