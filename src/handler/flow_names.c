// SPDX-License-Identifier: Apache-2.0
#include "handler/flow_names.h"

#include <stdio.h>

#include "base/address.h"
#include "handler/services.h"

enum { TCP = 6, UDP = 17 };

/* ---- Addresses ------------------------------------------------------------------------------ */

static void put_text(char *to, size_t room, const char *text)
{
    size_t size = strnlen(text, room - 1);
    memcpy(to, text, size);
    to[size] = '\0';
}

static void put_network(char *to, unsigned version, const uint8_t *address, unsigned bits)
{
    uint8_t masked[16] = {0};
    char text[ADDRESS_ROOM];
    memcpy(masked, address, (bits + 7) / 8);
    if (bits % 8 != 0) {
        masked[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
    }
    *address_write(text, version, masked) = '\0';
    snprintf(to, FLOW_NAME_ADDRESS, "%s/%u", text, bits);
}

static bool put_subnet(const struct flow_summary *summary, const struct flow_address *a, char *to)
{
    const struct hosts_network *network = hosts_find(&summary->subnets, a->version, a->bytes);
    uint8_t wildcard = summary->wildcard[a->version == 6];
    if (network != NULL) {
        put_text(to, FLOW_NAME_ADDRESS, summary->subnet_texts[network - summary->subnets.networks]);
        return true;
    }
    if (wildcard > 0) {
        put_network(to, a->version, a->bytes, wildcard);
        return true;
    }
    return false;
}

/* By the system that it belongs to; false when that one is not to be summed up. */
static bool put_owner(const struct flow_summary *summary, struct geo *owners,
                      const struct flow_address *a, char *to)
{
    struct geo_place place;
    geo_owner(owners, a->version, a->bytes, &place);
    if (summary->excludes_unknown && !place.found) {
        return false;
    }
    size_t digits = strcspn(place.name, "/");
    for (size_t i = 0; i < summary->excluded_owners.count; i++) {
        const char *number = summary->excluded_owners.words[i];
        if (strlen(number) == digits && strncmp(number, place.name, digits) == 0) {
            return false;
        }
    }
    put_text(to, FLOW_NAME_ADDRESS, place.name);
    return true;
}

static bool put_summary(const struct flow_settings *s, const struct flow_address *a, char *to)
{
    const struct flow_summary *summary = &s->summary;
    struct geo *owners = s->common.world->owner;
    if (summary->kind == FLOW_SUMMARY_NONE || hosts_have(&summary->excluded, a->version, a->bytes)) {
        return false;
    }
    if (summary->kind == FLOW_SUMMARY_OWNER) {
        if (owners == NULL) {
            return false;
        }
        return put_owner(summary, owners, a, to) || put_subnet(summary, a, to);
    }
    return put_subnet(summary, a, to);
}

static bool is_zero(const struct flow_address *a)
{
    static const uint8_t zero[16];
    return a->version == 0 || memcmp(a->bytes, zero, handler_address_size(a->version)) == 0;
}

static void put_address(const struct flow_settings *s, const struct flow_address *a, char *to)
{
    *to = '\0';
    if (!is_zero(a) && !put_summary(s, a, to)) {
        *address_write(to, a->version, a->bytes) = '\0';
    }
}

/* ---- Ports and ends ------------------------------------------------------------------------- */

static void put_port(const struct flow_settings *s, uint16_t port, uint8_t protocol, char *to)
{
    const struct services *services = s->common.world->services;
    const char *name =
        services != NULL ? services_name(services, protocol == UDP ? UDP : TCP, port) : NULL;
    if (port == 0) {
        *to = '\0';
    } else if (name != NULL) {
        put_text(to, FLOW_NAME_PORT, name);
    } else {
        snprintf(to, FLOW_NAME_PORT, "%u", port);
    }
}

static void join(char *to, size_t room, const char *a, char sign, const char *b)
{
    size_t size = strnlen(a, room - 2);
    memcpy(to, a, size);
    to[size] = sign;
    put_text(to + size + 1, room - size - 1, b);
}

void flow_names_of(const struct flow_settings *settings, const struct flow_record *record,
                   struct flow_names *ret)
{
    const struct flow_address *const addresses[2] = {&record->source, &record->destination};
    const uint16_t ports[2] = {record->source_port, record->destination_port};
    for (unsigned i = 0; i < 2; i++) {
        put_address(settings, addresses[i], ret->address[i]);
        put_port(settings, ports[i], record->protocol, ret->port[i]);
        ret->end[i][0] = '\0';
        if (ret->address[i][0] != '\0' && ports[i] != 0) {
            join(ret->end[i], sizeof ret->end[i], ret->address[i], ':', ret->port[i]);
        }
    }
    ret->conversation[0] = '\0';
    if (ret->end[0][0] != '\0' && ret->end[1][0] != '\0') {
        bool swapped = strcmp(ret->end[0], ret->end[1]) > 0;
        join(ret->conversation, sizeof ret->conversation, ret->end[swapped], '/',
             ret->end[!swapped]);
    }
}

/* ---- Type of service ------------------------------------------------------------------------ */

void flow_names_dscp(uint8_t tos, char *to, size_t room)
{
    unsigned dscp = tos >> 2;
    unsigned class = dscp >> 3, rest = dscp & 7;
    if (dscp == 46) {
        put_text(to, room, "EF");
    } else if (dscp == 44) {
        put_text(to, room, "VOICE-ADMIT");
    } else if (rest == 0) {
        snprintf(to, room, "CS%u", class);
    } else if (class >= 1 && class <= 4 && rest % 2 == 0) {
        snprintf(to, room, "AF%u%u", class, rest / 2);
    } else {
        snprintf(to, room, "%u", dscp);
    }
}

const char *flow_names_ecn(uint8_t tos)
{
    static const char *const names[4] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
    return names[tos & 3];
}
