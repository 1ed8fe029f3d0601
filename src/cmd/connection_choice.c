// SPDX-License-Identifier: Apache-2.0
#include "cmd/connection_choice.h"

#include "base/address.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { CANDIDATES = 8 };

/* ---- Names ----------------------------------------------------------------------------------- */

static char *write_end(char *at, const struct event_address *address, uint32_t port)
{
    bool v6 = address->version == 6;
    *at = '[';
    at = address_write(at + v6, address->version, address->bytes);
    return at + sprintf(at, v6 ? "]:%u" : ":%u", port);
}

void connection_ends(char ret[CONNECTION_ENDS_ROOM], const struct flow_event *flow,
                     const char *between)
{
    char *at = write_end(ret, &flow->source, flow->source_port);
    at = stpcpy(at, between);
    write_end(at, &flow->destination, flow->destination_port);
}

static bool has_ends(const struct flow_event *flow, const char *text)
{
    char ends[2][CONNECTION_ENDS_ROOM];
    *write_end(ends[0], &flow->source, flow->source_port) = '\0';
    *write_end(ends[1], &flow->destination, flow->destination_port) = '\0';
    for (unsigned first = 0; first < 2; first++) {
        size_t size = strlen(ends[first]);
        if (strncasecmp(text, ends[first], size) != 0) {
            continue;
        }
        if (text[size] == '\0' ||
            (text[size] == '-' && strcasecmp(text + size + 1, ends[1 - first]) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is_meant(const struct flow_event *flow, const char *text)
{
    return strcmp(text, flow->community_id) == 0 || strcmp(text, flow->flow_id) == 0 ||
           has_ends(flow, text);
}

/* ---- Complaints ------------------------------------------------------------------------------ */

/* Adds a line for a connection: its number, ends, time and verdicts. */
static size_t add_candidate(char *text, size_t at, size_t room, uint32_t number,
                            const struct health_event *event)
{
    char ends[CONNECTION_ENDS_ROOM];
    char time[TEXT_TIME_ROOM];
    connection_ends(ends, &event->flow, "-");
    text_rfc3339(time, event->flow.start_ns, 3);
    int size = snprintf(text + at, room - at, "\n%5u  %s  %s  %s", number, ends, time,
                        event->verdicts[0] != '\0' ? event->verdicts : "ok");
    return size > 0 && (size_t)size < room - at ? at + (size_t)size : at;
}

/* Lists connections from the top that `text` means, or all when it is NULL. */
static void list_candidates(const struct connection_list *list, const char *text, char *to,
                            size_t room)
{
    unsigned shown = 0;
    size_t at = 0;
    to[0] = '\0';
    for (uint32_t i = 0; i < list->count && shown < CANDIDATES; i++) {
        if (text == NULL || is_meant(&list->rows[i]->flow, text)) {
            size_t longer = add_candidate(to, at, room, i + 1, list->rows[i]);
            if (longer == at) {
                break;
            }
            at = longer;
            shown++;
        }
    }
    to[at] = '\0';
}

static const struct health_event *refuse(const struct connection_list *list, const char *text,
                                         uint32_t found, struct err *err)
{
    char lines[sizeof err->text - 256];
    list_candidates(list, found > 0 ? text : NULL, lines, sizeof lines);
    if (list->count == 0) {
        err_set(err, ERR_FAILED, "no TCP connection in it");
    } else if (found > 0) {
        err_set(err, ERR_USAGE, "%u connections are %.80s: say which by its number%s", found, text,
                lines);
    } else {
        err_set(err, ERR_USAGE,
                "no connection is %.80s: give a number from 1 to %u of read --connections, a "
                "Community ID, or ends as 192.0.2.1:5000-192.0.2.2:80; the worst are%s",
                text, list->count, lines);
    }
    return NULL;
}

const struct health_event *connection_choose(const struct connection_list *list, const char *text,
                                             struct err *err)
{
    int64_t number;
    if (text_parse_number(text, &number)) {
        return number >= 1 && number <= list->count ? list->rows[number - 1]
                                                    : refuse(list, text, 0, err);
    }
    const struct health_event *chosen = NULL;
    uint32_t found = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (is_meant(&list->rows[i]->flow, text)) {
            chosen = list->rows[i];
            found++;
        }
    }
    return found == 1 ? chosen : refuse(list, text, found, err);
}
