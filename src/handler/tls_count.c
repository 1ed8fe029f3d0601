// SPDX-License-Identifier: Apache-2.0
/* TLS by handshakes, over TCP and in QUIC: "tls". A handshake counts when both sides have gone on to
 * encrypted records, or when it is clear that they will not. */
#include <ctype.h>

#include "base/seconds.h"
#include "handler/facts.h"
#include "handler/place_filter.h"
#include "handler/requests.h"
#include "handler/side_filter.h"
#include "summary/cardinality.h"
#include "summary/rate.h"
#include "summary/topn.h"

#define DAY_NS (86400 * SECOND_NS)

enum { SLOTS = 256, WORDS = 64, NAME = 128, SNI_MAX = 120, SOON_DAYS = 30, VERSIONS = 6 };
enum {
    CARDINALITY = 1, CERTIFICATES = 2, COUNTERS = 4, QUANTILES = 8, TOP_ALPN = 16, TOP_CIPHERS = 32,
    TOP_FAILURES = 64, TOP_FINGERPRINTS = 128, TOP_SNI = 256,
};

/* Certificates as servers showed them, by the name that was asked for. */
struct tls_certificate {
    uint64_t handshakes;
    uint64_t expires_s; /* since 1970: the end of the one that lasts longest */
};

struct tls_count {
    uint64_t handshakes, established, failed, resumed, quic, nameless, answered_none;
    uint64_t versions[VERSIONS];
    uint64_t certificates, expired, expiring, client_certificates;
    uint64_t filtered, observed, deep;
    uint64_t sides[SIDE_FILTER_SIDES];
    struct rate rate;
    struct quantiles duration;  /* microseconds */
    struct quantiles days_left; /* of servers' certificates */
    _Alignas(8) struct cardinality names;
    _Alignas(8) struct cardinality fingerprints;
    TOPN_DECLARE(alpn, WORDS);
    TOPN_DECLARE_WIDE(ciphers, SLOTS, 64);
    TOPN_DECLARE(ja3, SLOTS);
    TOPN_DECLARE(ja3s, SLOTS);
    TOPN_DECLARE(ja4, SLOTS);
    TOPN_DECLARE_WIDE(sni, SLOTS, NAME);
    TOPN_DECLARE_WIDE(failed_names, SLOTS, NAME);
    TOPN_DECLARE_WIDE(expiring_names, SLOTS, NAME);
    struct {
        struct breakdown names;
        struct tls_certificate items[BREAKDOWN_ITEMS];
    } by_name;
};

struct tls_settings {
    struct handler_settings common;
    struct place_filter filter;
    struct side_filter sides;
    struct handler_words suffixes; /* only_sni_suffix */
};

struct tls_state {
    struct place_filter_cache verdicts;
    struct facts facts;
};

static const char *const tls_facts[] = {
    "tls.client.server_name", "tls.version",     "tls.version_protocol", "tls.cipher",
    "tls.next_protocol",      "tls.client.ja3",  "tls.server.ja3s",      "tls.client.ja4",
    "tls.established",        "tls.resumed",     "tls.server.not_after", "tls.client.not_after",
    "tls.server.subject",     NULL};
enum {
    FACT_NAME, FACT_VERSION, FACT_FAMILY, FACT_CIPHER, FACT_ALPN, FACT_JA3, FACT_JA3S, FACT_JA4,
    FACT_ESTABLISHED, FACT_RESUMED, FACT_NOT_AFTER, FACT_CLIENT_NOT_AFTER, FACT_SUBJECT,
};

enum { TRUTH_YES = 2 /* of EVENT_TRUTH */ };

/* A handshake at hand. */
struct hand {
    const struct event_head *head;
    const struct event_field *const *fields;
};

static struct span text_of(const struct hand *hand, unsigned fact)
{
    return facts_text(hand->head, hand->fields[fact]);
}

static bool tls_configure(const struct handler_options *options, void *settings, struct err *err)
{
    struct tls_settings *s = settings;
    s->suffixes = handler_list(options, "only_sni_suffix");
    return place_filter_read(options, &s->filter, err) &&
           side_filter_read(options, &s->sides, err);
}

static void tls_init(void *block)
{
    struct tls_count *b = block;
    topn_init(&b->alpn, WORDS, TOPN_KEY_MAX);
    topn_init(&b->ciphers, SLOTS, 64);
    topn_init(&b->ja3, SLOTS, TOPN_KEY_MAX);
    topn_init(&b->ja3s, SLOTS, TOPN_KEY_MAX);
    topn_init(&b->ja4, SLOTS, TOPN_KEY_MAX);
    topn_init(&b->sni, SLOTS, NAME);
    topn_init(&b->failed_names, SLOTS, NAME);
    topn_init(&b->expiring_names, SLOTS, NAME);
}

/* ---- Certificates --------------------------------------------------------------------------- */

static const char *const certificate_labels[] = {"server_name", NULL};
static const struct metric_set tls_certificate_set;

static struct breakdown_of certificates_of(const struct tls_count *b)
{
    struct tls_count *own = (struct tls_count *)(uintptr_t)b; /* who only reads says so */
    return (struct breakdown_of){&own->by_name.names, own->by_name.items, &tls_certificate_set,
                                 certificate_labels};
}

static unsigned digits(const uint8_t *at, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        value = 10 * value + (isdigit(at[i]) ? (unsigned)(at[i] - '0') : 0);
    }
    return value;
}

/* Seconds since 1970 of "2031-02-03T04:05:06…" (RFC 3339, UTC); 0 when it is none, or before. The days
 * are counted as in H. Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static uint64_t seconds_of(struct span time)
{
    if (time.size < 19) {
        return 0;
    }
    uint64_t month = digits(time.data + 5, 2);
    uint64_t year = digits(time.data, 4) - (month <= 2);
    uint64_t of_year = (153 * (month + (month > 2 ? 0 : 12) - 3) + 2) / 5 +
                       digits(time.data + 8, 2) - 1;
    uint64_t days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    uint64_t seconds = digits(time.data + 11, 2) * 3600u + digits(time.data + 14, 2) * 60u +
                       digits(time.data + 17, 2);
    return days > 719468 ? (days - 719468) * 86400 + seconds : 0;
}

/* The certificate of a server, which earlier versions than 1.3 show in the clear. */
static void note_certificate(struct handler_run *run, const struct hand *hand, uint64_t now_ns)
{
    struct tls_count *b = run->block;
    uint64_t end_s = seconds_of(text_of(hand, FACT_NOT_AFTER));
    uint64_t now_s = now_ns / SECOND_NS;
    struct span name = text_of(hand, FACT_NAME);
    name = name.size > 0 ? name : text_of(hand, FACT_SUBJECT);
    if (end_s == 0) {
        return;
    }
    bool is_over = end_s < now_s;
    bool is_soon = end_s < now_s + SOON_DAYS * DAY_NS / SECOND_NS;
    b->certificates++;
    b->expired += is_over;
    b->expiring += is_soon && !is_over;
    quantiles_add(&b->days_left, ((double)end_s - (double)now_s) / 86400);
    handler_add_name(&b->expiring_names, name, is_soon);
    if (handler_wants(run, CERTIFICATES)) {
        struct breakdown_of of = certificates_of(b);
        struct breakdown_name key = {0};
        breakdown_put(&key, name, SNI_MAX);
        struct tls_certificate *to = breakdown_add(&of, &key);
        to->handshakes++;
        to->expires_s = end_s > to->expires_s ? end_s : to->expires_s;
    }
}

/* ---- Counting ------------------------------------------------------------------------------- */

static unsigned version_of(const struct hand *hand)
{
    struct span version = text_of(hand, FACT_VERSION);
    if (version.size == 0) {
        return 0;
    }
    if (!span_equal(text_of(hand, FACT_FAMILY), span_str("tls"))) {
        return 1;
    }
    unsigned minor = version.size > 2 ? digits(version.data + version.size - 1, 1) : 0;
    return minor <= 3 ? 2 + minor : 0;
}

static void count_whole(struct tls_count *b, const struct hand *hand)
{
    bool established = facts_number(hand->head, hand->fields[FACT_ESTABLISHED]) == TRUTH_YES;
    b->handshakes++;
    b->established += established;
    b->failed += !established;
    b->resumed += facts_number(hand->head, hand->fields[FACT_RESUMED]) == TRUTH_YES;
    b->quic += strcmp(hand->head->type->dataset, "quic") == 0;
    b->nameless += text_of(hand, FACT_NAME).size == 0;
    b->answered_none += text_of(hand, FACT_CIPHER).size == 0;
    b->versions[version_of(hand)]++;
    b->client_certificates += text_of(hand, FACT_CLIENT_NOT_AFTER).size > 0;
}

static void add_fact(struct topn *top, const struct hand *hand, unsigned fact)
{
    struct span text = text_of(hand, fact);
    handler_add_name(top, text, text.size > 0);
}

static void note(struct handler_run *run, const struct hand *hand, const struct transaction *t,
                 uint64_t now_ns)
{
    struct tls_count *b = run->block;
    struct span name = text_of(hand, FACT_NAME), ja4 = text_of(hand, FACT_JA4);
    bool established = facts_number(hand->head, hand->fields[FACT_ESTABLISHED]) == TRUTH_YES;
    add_fact(&b->alpn, hand, FACT_ALPN);
    add_fact(&b->ciphers, hand, FACT_CIPHER);
    add_fact(&b->ja3, hand, FACT_JA3);
    add_fact(&b->ja3s, hand, FACT_JA3S);
    add_fact(&b->ja4, hand, FACT_JA4);
    add_fact(&b->sni, hand, FACT_NAME);
    handler_add_name(&b->failed_names, name.size > 0 ? name : span_str("(none)"), !established);
    if (name.size > 0) {
        cardinality_add_coupon(&b->names, handler_text_coupon(name));
    }
    if (ja4.size > 0) {
        cardinality_add_coupon(&b->fingerprints, handler_text_coupon(ja4));
    }
    if (t->duration.present) {
        quantiles_add(&b->duration, (double)t->duration.value / 1000);
    }
    note_certificate(run, hand, now_ns);
}

static bool tls_on_event(struct handler_run *run, struct handler_event *event)
{
    static const char *const datasets[] = {"tls", "quic", NULL};
    const struct tls_settings *settings = run->settings;
    struct tls_state *state = run->state;
    struct tls_count *b = run->block;
    const struct transaction *t = requests_event(event, datasets);
    if (t == NULL) {
        return false;
    }
    struct hand hand = {event->transaction,
                        facts_find(&state->facts, tls_facts, event->transaction)};
    bool is_deep = handler_is_deep(run);
    b->observed++;
    b->deep += is_deep;
    if (!place_filter_event(&settings->filter, settings->common.world, &state->verdicts, event) ||
        !side_filter_passes(&settings->sides, event) ||
        !requests_has_suffix(&settings->suffixes, text_of(&hand, FACT_NAME))) {
        b->filtered++;
        return false;
    }
    run->sums[0]++;
    b->sides[event->direction]++;
    count_whole(b, &hand);
    if (is_deep) {
        note(run, &hand, t, event->time_ns);
    }
    return true;
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static void tls_reset(void *block)
{
    struct breakdown_of of = certificates_of(block);
    breakdown_reset(&of);
}

static void tls_merge(void *into, const void *from)
{
    struct breakdown_of to = certificates_of(into), of = certificates_of(from);
    breakdown_merge(&to, &of);
}

/* The one that ends soonest is the first. */
static bool certificate_part(const void *settings, const void *block, uint32_t outer,
                             uint32_t number, struct handler_part *ret)
{
    struct breakdown_of of = certificates_of(block);
    (void)outer;
    if (!(((const struct handler_settings *)settings)->groups & CERTIFICATES) ||
        !breakdown_part(&of, number, ret)) {
        return false;
    }
    if (ret->block != NULL && ret->rank > 0) {
        ret->rank = 1e15 - (double)((const struct tls_certificate *)ret->block)->expires_s;
    }
    return true;
}

#define CERTIFICATE(name_, kind_, member_, unit_, help_)                                           \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct tls_certificate, member_),         \
        .unit = unit_, .help = help_, .group = "certificates", .path = name_,                      \
        .family = "tls_certificate_" name_, .groups = CERTIFICATES                                 \
    }

static const struct metric tls_certificate_metrics[] = {
    CERTIFICATE("handshakes", METRIC_COUNTER, handshakes, "handshakes",
                "Handshakes in which a server showed a certificate"),
    CERTIFICATE("expires_at", METRIC_PEAK, expires_s, "seconds",
                "When the server's certificate ends, in seconds since 1970"),
    {0},
};

static const struct metric_set tls_certificate_set = {
    .name = "tls_certificate",
    .help = "A server's certificate",
    .metrics = tls_certificate_metrics,
    .size = sizeof(struct tls_certificate),
};

static const struct handler_parts certificate_parts = {
    .key = "certificates",
    .set = &tls_certificate_set,
    .part = certificate_part,
    .is_top = true,
};

/* ---- The table ------------------------------------------------------------------------------ */

#define ROW(name_, kind_, member_, path_, groups_, unit_, help_)                                   \
    .name = name_, .kind = kind_, .offset = offsetof(struct tls_count, member_), .unit = unit_,    \
    .help = help_, .group = #groups_, .path = path_, .family = "tls_" name_, .groups = groups_
#define COUNT(name_, member_, groups_, help_)                                                      \
    {ROW(name_, METRIC_COUNTER, member_, name_, groups_, "handshakes", help_)}
#define TOP(name_, member_, groups_, label_, help_)                                                \
    {ROW(name_, METRIC_TOPN, member_, name_, groups_, "handshakes", help_),                        \
     .key = METRIC_KEY_TEXT, .label = label_}
#define DISTINCT(name_, member_, help_)                                                            \
    {ROW("cardinality_" name_, METRIC_CARDINALITY, member_, "cardinality/" name_, CARDINALITY, "", \
         help_)}

static const struct metric tls_metrics[] = {
    COUNT("handshakes", handshakes, COUNTERS, "TLS handshakes, whole or not"),
    SIDE_FILTER_ROWS(struct tls_count, sides, "tls", COUNTERS, "handshakes"),
    COUNT("established", established, COUNTERS, "Those after which both sides encrypted"),
    COUNT("failed", failed, COUNTERS, "All others"),
    COUNT("resumed", resumed, COUNTERS, "Those with keys of an earlier session"),
    COUNT("quic", quic, COUNTERS, "Those in QUIC"),
    COUNT("without_sni", nameless, COUNTERS, "Those whose client named no server"),
    COUNT("unanswered", answered_none, COUNTERS, "Those in which the server was not heard"),
    COUNT("version_unknown", versions[0], COUNTERS, "Those whose version is not known"),
    COUNT("version_ssl", versions[1], COUNTERS, "Those of SSL"),
    COUNT("version_tls10", versions[2], COUNTERS, "Those of TLS 1.0"),
    COUNT("version_tls11", versions[3], COUNTERS, "Those of TLS 1.1"),
    COUNT("version_tls12", versions[4], COUNTERS, "Those of TLS 1.2"),
    COUNT("version_tls13", versions[5], COUNTERS, "Those of TLS 1.3"),
    COUNT("client_certificates", client_certificates, COUNTERS,
          "Those in which the client showed a certificate"),
    COUNT("server_certificates", certificates, CERTIFICATES,
          "Those in which the server's certificate could be read (before TLS 1.3)"),
    COUNT("expired_certificates", expired, CERTIFICATES, "Those in which it was no longer valid"),
    COUNT("expiring_certificates", expiring, CERTIFICATES,
          "Those in which it was valid for less than 30 days"),
    {ROW("handshake_us", METRIC_QUANTILES, duration, "handshake_us", QUANTILES, "us",
         "Quantiles of the time that TLS handshakes took, in microseconds")},
    {ROW("certificate_days_left", METRIC_QUANTILES, days_left, "certificate_days_left", QUANTILES,
         "days", "Quantiles of the days for which servers' certificates were still valid")},
    {ROW("rates_hps", METRIC_RATE, rate, "rates/hps", QUANTILES, "handshakes",
         "Rate of TLS handshakes per second")},
    DISTINCT("sni", names, "Cardinality of server names that were asked for"),
    DISTINCT("ja4", fingerprints, "Cardinality of fingerprints of clients"),
    TOP("top_sni", sni, TOP_SNI, "sni", "Top server names that were asked for"),
    TOP("top_failed_sni", failed_names, TOP_FAILURES, "sni",
        "Top server names by handshakes that failed"),
    TOP("top_expiring_sni", expiring_names, CERTIFICATES, "sni",
        "Top server names by handshakes with a certificate valid for less than 30 days"),
    TOP("top_ciphers", ciphers, TOP_CIPHERS, "cipher", "Top cipher suites"),
    TOP("top_alpn", alpn, TOP_ALPN, "alpn", "Top protocols within (ALPN)"),
    TOP("top_ja3", ja3, TOP_FINGERPRINTS, "ja3", "Top fingerprints of clients by JA3"),
    TOP("top_ja3s", ja3s, TOP_FINGERPRINTS, "ja3s", "Top fingerprints of servers by JA3S"),
    TOP("top_ja4", ja4, TOP_FINGERPRINTS, "ja4", "Top fingerprints of clients by JA4"),
    COUNT("certificates_folded", by_name.names.folded, CERTIFICATES,
          "Names that found no room of their own and count with all others"),
    COUNT("filtered_handshakes", filtered, COUNTERS,
          "Handshakes that did not match the configured filter(s) (if any)"),
    COUNT("observed_handshakes", observed, 0, "Handshakes before filtering"),
    COUNT("deep_sampled_handshakes", deep, 0, "Handshakes that were sampled for deep inspection"),
    {0},
};

static const struct metric_set tls_set = {
    .name = "tls",
    .help = "TLS by handshakes",
    .metrics = tls_metrics,
    .size = sizeof(struct tls_count),
    .init = tls_init,
    .reset = tls_reset,
    .merge = tls_merge,
};

static const struct handler_group tls_groups[] = {
    {"cardinality", true}, {"certificates", true}, {"counters", true},
    {"quantiles", true},   {"top_alpn", true},     {"top_ciphers", true},
    {"top_failures", true}, {"top_fingerprints", true}, {"top_sni", true},
    {0}};

static const char *const tls_options[] = {
    "only_sni_suffix", "geoloc_notfound", "asn_notfound", "only_geoloc_prefix", "only_asn_number",
    "only_directions", "recorded_stream", "deep_sample_rate", "num_periods", "topn_count",
    "topn_percentile_threshold", NULL};

const struct handler handler_tls_count = {
    .type = "tls",
    .version = "1.0",
    .object = "tls",
    .title = "TlsStreamHandler",
    .inputs = HANDLER_PCAP,
    .finished = HANDLER_TRANSACTION,
    .set = &tls_set,
    .groups = tls_groups,
    .options = tls_options,
    .settings_size = sizeof(struct tls_settings),
    .state_size = sizeof(struct tls_state),
    .configure = tls_configure,
    .on_event = tls_on_event,
    .on_tick = handler_goes_on,
    .parts = &certificate_parts,
};
