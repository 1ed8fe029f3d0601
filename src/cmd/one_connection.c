// SPDX-License-Identifier: Apache-2.0
#include "cmd/one_connection.h"

#include "base/json.h"
#include "cmd/connection_choice.h"
#include "cmd/plot.h"
#include "cmd/read_files.h"
#include "cmd/report_connection.h"

#include <errno.h>
#include <string.h>

enum { CONNECTIONS_KEPT = 100000 };

/* Reads all; NULL and err when nothing could be read. Damage is told by `ret_damage`, and what came
 * before it is in the engine. */
static struct engine *read_through(const struct one_connection *wanted, const uint64_t *draw,
                                   struct err *ret_damage, struct err *err)
{
    struct engine_options options = {
        .mode = "read",
        .only_events = true,
        .keep_connections = draw == NULL ? CONNECTIONS_KEPT : 1,
        .draw = draw,
    };
    struct engine *engine = engine_new(wanted->config, &options, err);
    if (engine != NULL) {
        read_files_all(engine, ret_damage);
        engine_stop(engine, ret_damage);
    }
    return engine;
}

static void print_event(const struct health_event *event)
{
    struct json json;
    json_init(&json);
    event_json(&json, &event->flow.head);
    fwrite(json.data, 1, json.size, stdout);
    fputc('\n', stdout);
    json_done(&json);
}

static void print_words(const struct one_connection *wanted, const struct health_event *event)
{
    struct terminal terminal = terminal_of(stdout);
    if (wanted->as_event) {
        print_event(event);
    } else {
        report_connection_print(event, &terminal, stdout);
    }
    fflush(stdout);
}

/* Writes the picture to its file; one that could not be written whole is an error. */
static bool write_picture(const char *path, const struct health_event *event,
                          const struct tcp_marks *marks, struct err *err)
{
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(path, "we");
    if (out == NULL) {
        return err_set(err, ERR_FAILED, "%s: %s", path, strerror(errno));
    }
    plot_write(out, event, marks);
    bool failed = fflush(out) != 0 || ferror(out);
    failed = (!to_stdout && fclose(out) != 0) || failed;
    return !failed || err_set(err, ERR_FAILED, "%s: cannot be written: %s", path, strerror(errno));
}

static bool draw(const struct one_connection *wanted, const struct health_event *event,
                 struct err *err)
{
    struct err damage = {0}; /* the first pass has told it */
    struct engine *engine = read_through(wanted, &event->flow.head.suborder, &damage, err);
    if (engine == NULL) {
        return false;
    }
    const struct tcp_marks *marks = engine_graph(engine);
    bool drawn = marks != NULL ? write_picture(wanted->picture, event, marks, err)
                               : err_set(err, ERR_FAILED, "the captures changed between two "
                                                          "readings; try again");
    engine_free(engine);
    return drawn;
}

int one_connection_answer(const struct one_connection *wanted)
{
    struct err err = {0}, damage = {0};
    struct engine *engine = read_through(wanted, NULL, &damage, &err);
    if (engine == NULL) {
        read_files_complain(&err);
        return err.code;
    }
    struct connection_list list;
    list.count = engine_connections(engine, &list.rows, &list.total);
    const struct health_event *event = connection_choose(&list, wanted->name, &err);
    if (event != NULL && wanted->picture != NULL) {
        draw(wanted, event, &err);
    } else if (event != NULL) {
        print_words(wanted, event);
    }
    engine_free(engine);
    if (damage.code != ERR_NONE) {
        read_files_complain(&damage);
    }
    if (err.code != ERR_NONE) {
        read_files_complain(&err);
        return err.code;
    }
    return damage.code;
}
