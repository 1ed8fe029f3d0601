// SPDX-License-Identifier: Apache-2.0
#include "cmd/packetbeat_dashboards.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/packetbeat_config.h"
#include "cmd/packetbeat_export.h"
#include "dashboard/dashboard.h"
#include "dashboard/dashboard_files.h"
#include "sink/kibana.h"

/* ---- What is brought --------------------------------------------------------------------------------- */

static void write_own(struct json *to, const char *index)
{
    for (const struct dashboard *d = dashboards; d->name != NULL; d++) {
        dashboard_write(to, d, index);
    }
}

static bool write_users(struct json *to, const struct beat_kibana *k, struct err *err)
{
    struct dashboard_files files = {
        .path = k->file[0] != '\0' ? k->file : k->folder,
        .beat = k->beat,
        .index = k->has_index ? k->index : NULL,
        .known = k->index,
    };
    return dashboard_files_read(to, &files, err);
}

/* The index pattern, and behind it our dashboards, or the user's in their place. */
static bool write_all(struct json *to, const struct beat_kibana *k, struct err *err)
{
    if (k->url[0] != '\0') {
        return err_set(err, ERR_FAILED, "%s: setup.dashboards.url is not fetched: unpack the archive "
                       "and name its folder in setup.dashboards.directory", k->url);
    }
    dashboard_write_pattern(to, k->index);
    if (k->file[0] != '\0' || k->folder[0] != '\0') {
        return write_users(to, k, err);
    }
    write_own(to, k->index);
    return true;
}

/* ---- Bringing it ------------------------------------------------------------------------------------- */

static void pause_for(int64_t ns)
{
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    nanosleep(&time, NULL);
}

/* Asks until somebody is there, or as often as is allowed. */
static bool bring(const struct beat_kibana *k, struct span objects, unsigned *taken, struct json *told,
                  struct err *err)
{
    struct kibana_answer answer;
    for (int64_t again = 0;; again++) {
        *err = (struct err){0};
        if (kibana_import(&k->cluster, k->space, objects, &answer, told, err)) {
            *taken = answer.taken;
            return true;
        }
        if (!k->retries || !answer.is_away || (k->retry_most > 0 && again >= k->retry_most)) {
            return false;
        }
        if (again == 0) {
            fprintf(stderr, "vantage packetbeat: %s; it is asked again\n", err->text);
        }
        pause_for(k->retry_ns);
    }
}

bool packetbeat_dashboards_load(const struct beat_config *beat, FILE *out)
{
    struct err err = {0};
    struct json objects, told;
    unsigned taken = 0;
    json_init(&objects);
    json_init(&told);
    bool is_good = write_all(&objects, &beat->kibana, &err) &&
                   bring(&beat->kibana, span_of(objects.data, objects.size), &taken, &told, &err);
    if (is_good) {
        fprintf(out, "dashboards: Kibana took %u saved objects, for the indices %s\n", taken,
                beat->kibana.index);
    } else {
        fprintf(stderr, "vantage packetbeat: %s\n%.*s", err.text, (int)told.size,
                told.size > 0 ? told.data : "");
    }
    json_done(&objects);
    json_done(&told);
    return is_good;
}

/* ---- Printing it ------------------------------------------------------------------------------------- */

/* One dashboard whole: what it refers to is in it. */
static bool export_one(const struct arguments *a, const struct beat_kibana *k,
                       const struct dashboard *dashboard)
{
    char name[DASHBOARD_ID + 8];
    char id[DASHBOARD_ID];
    struct json text;
    json_init(&text);
    dashboard_id(id, dashboard);
    snprintf(name, sizeof name, "%s.ndjson", id);
    dashboard_write_pattern(&text, k->index);
    dashboard_write(&text, dashboard, k->index);
    bool is_good = packetbeat_export_put(arguments_string(a, "folder"), "dashboard", name,
                                         span_of(text.data, text.size));
    json_done(&text);
    return is_good;
}

static bool export_each(const struct arguments *a, const struct beat_kibana *k)
{
    bool is_good = true;
    for (const struct dashboard *d = dashboards; d->name != NULL && is_good; d++) {
        is_good = export_one(a, k, d);
    }
    return is_good;
}

/* As setup --dashboards would bring it. */
static bool export_all(const struct beat_kibana *k)
{
    struct err err = {0};
    struct json text;
    json_init(&text);
    bool is_good = write_all(&text, k, &err);
    if (is_good) {
        is_good = packetbeat_export_put(NULL, "", "", span_of(text.data, text.size));
    } else {
        fprintf(stderr, "vantage packetbeat: %s\n", err.text);
    }
    json_done(&text);
    return is_good;
}

static int refuse_id(const struct arguments *a, const char *id)
{
    char names[512] = "";
    for (const struct dashboard *d = dashboards; d->name != NULL; d++) {
        size_t size = strlen(names);
        snprintf(names + size, sizeof names - size, "%s%s", size > 0 ? ", " : "", d->name);
    }
    return arguments_refuse(a, "--id: there is no dashboard '%s': %s", id, names);
}

int packetbeat_dashboards_export(const struct arguments *a)
{
    const char *id = arguments_string(a, "id");
    const struct dashboard *dashboard = id != NULL ? dashboard_find(id) : NULL;
    if (id != NULL && dashboard == NULL) {
        return refuse_id(a, id);
    }
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    bool is_good = dashboard != NULL                     ? export_one(a, &beat->kibana, dashboard)
                   : arguments_string(a, "folder") != NULL ? export_each(a, &beat->kibana)
                                                         : export_all(&beat->kibana);
    beat_config_free(beat);
    return is_good ? ERR_NONE : ERR_FAILED;
}

int packetbeat_dashboards_export_pattern(const struct arguments *a)
{
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    struct json text;
    json_init(&text);
    dashboard_write_pattern(&text, beat->kibana.index);
    bool is_good = packetbeat_export_put(arguments_string(a, "dir"), "index-pattern",
                                         "packetbeat.ndjson", span_of(text.data, text.size));
    json_done(&text);
    beat_config_free(beat);
    return is_good ? ERR_NONE : ERR_FAILED;
}
