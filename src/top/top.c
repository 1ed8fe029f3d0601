// SPDX-License-Identifier: Apache-2.0
#include "top/top.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/node_json.h"
#include "base/text.h"
#include "top/draw.h"
#include "top/past.h"
#include "top/screen.h"
#include "top/view.h"

enum {
    ROUND_MS = 1000,
    NOW_MS = 10000, /* "now" is what came in the last ten seconds */
    WINDOW_MINUTES = 5,
    ONCE_ROUNDS = 3,
    HTTP_OK = 200,
    HTTP_TOO_EARLY = 425, /* pktvisor's word for a window that is not there yet */
    NAME_ROOM = 128,
};

struct top {
    const struct top_options *options;
    struct remote *remote;
    struct past past;
    struct view view;
    struct page page;
    struct nodes documents; /* of the shot that is shown */
    struct nodes earlier;   /* of the one to compare with */
    struct nodes opened;    /* the row whose fields are shown */
    struct json opened_text;
    struct node *opened_root;
    struct page_source source;
    uint64_t parsed; /* the shot that `documents` is of */
    char policy[NAME_ROOM];
    unsigned minutes; /* of a window; 0: only the live bucket can be had */
    int64_t next_ms;
    bool is_waiting; /* a round is under way */
    bool is_gone;    /* the last round failed */
    char trouble[1024];
    char paths[REMOTE_ASKS][VIEW_PATH_ROOM];
    struct grid grid;
    struct grid shown;
    struct json bytes;
    bool was_detail;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Questions ---------------------------------------------------------------------------------- */

/* The path of the policy's window; its name comes from the agent or the user and is encoded. */
static void window_path(const struct top *top, char to[VIEW_PATH_ROOM])
{
    char name[3 * NAME_ROOM] = "";
    size_t at = 0;
    for (const char *c = top->policy; *c != '\0' && at + 4 < sizeof name; c++) {
        bool is_plain = isalnum((unsigned char)*c) || *c == '-' || *c == '_' || *c == '.';
        at += (size_t)snprintf(name + at, sizeof name - at, is_plain ? "%c" : "%%%02X",
                               (unsigned char)*c);
    }
    if (top->minutes > 0) {
        snprintf(to, VIEW_PATH_ROOM, "/api/v1/policies/%s/metrics/window/%u", name, top->minutes);
    } else {
        snprintf(to, VIEW_PATH_ROOM, "/api/v1/policies/%s/metrics/bucket/0", name);
    }
}

static void begin_round(struct top *top)
{
    const char *paths[REMOTE_ASKS] = {
        [REMOTE_SUMMARY] = "/api/v1/summary?top=100",
        [REMOTE_HISTORY] = "/api/v1/history",
    };
    switch (top->view.page) {
    case PAGE_FLOWS:
        view_flows_path(&top->view, top->paths[REMOTE_FLOWS]);
        paths[REMOTE_FLOWS] = top->paths[REMOTE_FLOWS];
        break;
    case PAGE_CONNECTIONS: paths[REMOTE_CONNECTIONS] = "/api/v1/connections?limit=100"; break;
    case PAGE_PATHS: paths[REMOTE_PATHS] = "/api/v1/paths?limit=257"; break;
    case PAGE_DNS:
        paths[REMOTE_POLICIES] = "/api/v1/policies";
        if (top->policy[0] != '\0') {
            window_path(top, top->paths[REMOTE_WINDOW]);
            paths[REMOTE_WINDOW] = top->paths[REMOTE_WINDOW];
        }
        break;
    default: break;
    }
    remote_begin(top->remote, paths);
    top->view.is_asking = false;
    top->is_waiting = true;
    top->next_ms = now_ms() + ROUND_MS;
}

/* ---- Policies ----------------------------------------------------------------------------------- */

/* The policy at a place of the list; those that pktvisor makes for its own resources do not count. */
static const struct node *policy_at(const struct node *list, size_t at, size_t *ret_count)
{
    static const char own[] = "-resources";
    const struct node *found = NULL;
    *ret_count = 0;
    for (const struct node *p = list != NULL && list->kind == NODE_MAP ? list->first : NULL;
         p != NULL; p = p->next) {
        size_t n = sizeof own - 1;
        bool is_own = p->name.size > n && memcmp(p->name.data + p->name.size - n, own, n) == 0;
        if (!is_own && (*ret_count)++ == at) {
            found = p;
        }
    }
    return found;
}

/* Finds the policy to show; asks anew when it is another one than before. */
static void choose_policy(struct top *top, const struct node *list)
{
    char name[NAME_ROOM] = "";
    size_t count = 0;
    policy_at(list, 0, &count);
    if (top->view.page == PAGE_DNS && top->view.set_step != 0 && count > 0) {
        top->view.policy = (top->view.policy + count + (size_t)top->view.set_step) % count;
    }
    const struct node *policy = policy_at(list, top->view.policy, &count);
    if (top->options->policy != NULL && top->view.policy == 0) {
        snprintf(name, sizeof name, "%s", top->options->policy);
    } else if (policy != NULL && policy->name.size < sizeof name) {
        memcpy(name, policy->name.data, policy->name.size);
        name[policy->name.size] = '\0';
    }
    if (strcmp(name, top->policy) != 0) {
        memcpy(top->policy, name, sizeof name);
        top->minutes = WINDOW_MINUTES;
        top->view.is_asking = true;
    }
}

/* A window that is not there yet: the refusal ends with the range that is, "[2, N]". */
static void note_window(struct top *top)
{
    long status = remote_status(top->remote, REMOTE_WINDOW);
    struct span body = remote_body(top->remote, REMOTE_WINDOW);
    if (status == 0 || status == HTTP_OK) {
        return;
    }
    unsigned least = 0;
    unsigned most = 0;
    char text[256] = "";
    memcpy(text, body.data, body.size < sizeof text - 1 ? body.size : sizeof text - 1);
    const char *range = strchr(text, '[');
    bool is_range = status == HTTP_TOO_EARLY && range != NULL &&
                    sscanf(range, "[%u, %u]", &least, &most) == 2;
    unsigned minutes = is_range && most >= 2 && most < top->minutes ? most : 0;
    top->view.is_asking |= minutes != top->minutes && status == HTTP_TOO_EARLY;
    top->minutes = minutes;
}

/* ---- Documents ---------------------------------------------------------------------------------- */

static const struct node *parse(struct nodes *to, struct span body)
{
    return body.size > 0 ? node_json_parse(to, body) : NULL;
}

/* Reads the shot that is to be shown, unless it has been. */
static void load(struct top *top)
{
    const struct past_shot *shot = past_find(&top->past, top->view.shot);
    if (shot == NULL || shot->number == top->parsed) {
        return;
    }
    node_reset(&top->documents);
    node_reset(&top->earlier);
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        top->source.documents[i] = parse(&top->documents, shot->bodies[i]);
    }
    const struct past_shot *before = past_before(&top->past, shot, NOW_MS);
    bool is_other = before != NULL && before->number != shot->number;
    top->source.before =
        is_other ? parse(&top->earlier, before->bodies[REMOTE_SUMMARY]) : NULL;
    top->source.seconds = is_other ? (double)(shot->at_ms - before->at_ms) / 1000 : 0;
    top->parsed = shot->number;
}

/* A round has come in. Refusals of a page's own questions are kept: they say why. */
static void keep_round(struct top *top)
{
    struct span bodies[REMOTE_ASKS];
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        long status = remote_status(top->remote, (enum remote_ask)i);
        bool is_fine = status == HTTP_OK || (i == REMOTE_FLOWS && status != 0);
        bodies[i] = is_fine ? remote_body(top->remote, (enum remote_ask)i) : span_of(NULL, 0);
    }
    past_add(&top->past, now_ms(), bodies);
    top->is_waiting = false;
    top->is_gone = false;
    load(top);
    if (top->view.page == PAGE_DNS && top->view.shot == 0) {
        note_window(top);
        choose_policy(top, top->source.documents[REMOTE_POLICIES]);
    }
}

static void note_failure(struct top *top)
{
    snprintf(top->trouble, sizeof top->trouble, "%s", remote_error(top->remote));
    top->is_waiting = false;
    top->is_gone = true;
}

/* ---- The page ----------------------------------------------------------------------------------- */

/* To the next metric set, or the one before. */
static void step_set(struct top *top)
{
    const struct node *summary = top->source.documents[REMOTE_SUMMARY];
    const struct node *sets = summary != NULL ? node_member(summary, span_str("metrics")) : NULL;
    const struct node *last = NULL;
    bool take_next = false;
    for (const struct node *set = sets != NULL ? sets->first : NULL; set != NULL;
         set = set->next) {
        bool is_here = node_member(sets, span_str(top->page.set)) == set;
        const struct node *choice = take_next ? set
                                    : is_here && top->view.set_step < 0 && last != NULL ? last
                                                                                        : NULL;
        if (choice != NULL && choice->name.size < sizeof top->view.set) {
            memcpy(top->view.set, choice->name.data, choice->name.size);
            top->view.set[choice->name.size] = '\0';
            return;
        }
        take_next = is_here && top->view.set_step > 0;
        last = set;
    }
}

/* What keys asked for that the view cannot do alone. */
static void follow_view(struct top *top)
{
    struct view *view = &top->view;
    if (view->step != 0 && top->past.count > 0) {
        int64_t newest = (int64_t)top->past.numbers;
        int64_t oldest = newest - (int64_t)top->past.count + 1;
        int64_t at = (view->shot != 0 ? (int64_t)view->shot : newest) + view->step;
        view->shot = at >= newest ? 0 : (uint64_t)(at < oldest ? oldest : at);
    }
    view->step = 0;
    if (view->set_step != 0 && view->page == PAGE_TOP) {
        step_set(top);
    } else if (view->set_step != 0 && view->page == PAGE_DNS) {
        choose_policy(top, top->source.documents[REMOTE_POLICIES]);
    }
    view->set_step = 0;
    if (view->is_detail && !top->was_detail && view->about != NULL) {
        json_reset(&top->opened_text);
        node_reset(&top->opened);
        node_json_write(&top->opened_text, view->about);
        top->opened_root = node_json_parse(
            &top->opened, span_of(top->opened_text.data, top->opened_text.size));
    }
    top->was_detail = view->is_detail;
}

static bool is_recorded(const struct top *top)
{
    static const enum remote_ask needs[PAGE_KINDS] = {
        REMOTE_SUMMARY, REMOTE_FLOWS,   REMOTE_CONNECTIONS,
        REMOTE_PATHS,   REMOTE_SUMMARY, REMOTE_WINDOW,
    };
    return top->source.documents[needs[top->view.page]] != NULL;
}

static void build(struct top *top)
{
    load(top);
    top->source.span = top->view.span;
    top->source.set = top->view.set;
    top->source.policy = top->policy;
    if (top->view.is_detail && top->opened_root != NULL) {
        page_detail(&top->page, top->opened_root);
    } else {
        top->view.is_detail = false;
        page_build(&top->page, top->view.page, &top->source);
        if (top->view.shot != 0 && !is_recorded(top)) {
            top->page.note = "This page was not looked at then, so nobody asked for it. Esc: now.";
        } else if (top->past.count == 0 || (!is_recorded(top) && top->is_waiting)) {
            top->page.note = top->is_gone ? "No answer yet." : "Asking the agent…";
        }
    }
    view_arrange(&top->view, &top->page);
}

static void draw(struct top *top)
{
    struct terminal terminal = terminal_of(stdout);
    const struct past_shot *shot = past_find(&top->past, top->view.shot);
    struct draw_frame frame = {
        .agent = remote_name(top->remote),
        .trouble = top->is_gone ? top->trouble : NULL,
        .behind = top->view.shot != 0 && shot != NULL ? (now_ms() - shot->at_ms) / 1000 : -1,
        .status = page_status(&top->page, &top->source),
    };
    if (top->view.is_redraw) {
        grid_reset(&top->shown, 0, 0);
        top->view.is_redraw = false;
    }
    top->grid.unicode = terminal.unicode;
    if (!grid_reset(&top->grid, terminal.width, terminal.height)) {
        return;
    }
    draw_screen(&top->grid, &top->page, &top->view, &frame);
    json_reset(&top->bytes);
    grid_paint(&top->grid, &top->shown, &terminal, &top->bytes);
    screen_write(&top->bytes);
}

/* ---- Runs --------------------------------------------------------------------------------------- */

/* One turn: waits for keys and answers, and shows what they changed. */
static void turn(struct top *top)
{
    int64_t now = now_ms();
    if (top->view.is_asking || (!top->is_waiting && now >= top->next_ms)) {
        begin_round(top);
    }
    int64_t left = top->is_waiting ? ROUND_MS : top->next_ms - now;
    enum remote_state state =
        remote_wait(top->remote, STDIN_FILENO, left > 0 ? (unsigned)left : 0);
    bool is_news = screen_is_changed();
    top->view.is_redraw |= is_news;
    if (top->is_waiting && state == REMOTE_DONE) {
        keep_round(top);
        is_news = true;
    } else if (top->is_waiting && state == REMOTE_FAILED) {
        note_failure(top);
        is_news = true;
    }
    for (unsigned key; (key = screen_key()) != 0 && !top->view.is_quit;) {
        view_key(&top->view, &top->page, key);
        follow_view(top);
        build(top);
        is_news = true;
    }
    if (is_news && !top->view.is_quit) {
        build(top);
        draw(top);
    }
}

static bool run_screen(struct top *top, struct err *err)
{
    if (!screen_open(err)) {
        return false;
    }
    build(top);
    draw(top);
    while (!top->view.is_quit && !screen_is_ended()) {
        turn(top);
    }
    screen_close();
    return true;
}

/* Rounds until nothing more is to be asked. */
static bool ask_once(struct top *top, struct err *err)
{
    for (unsigned i = 0; i < ONCE_ROUNDS && (i == 0 || top->view.is_asking); i++) {
        begin_round(top);
        enum remote_state state = REMOTE_BUSY;
        while (state == REMOTE_BUSY) {
            state = remote_wait(top->remote, -1, ROUND_MS);
        }
        if (state == REMOTE_FAILED) {
            return err_set(err, ERR_FAILED, "%s; is the agent running?",
                           remote_error(top->remote));
        }
        keep_round(top);
    }
    return true;
}

static bool run_once(struct top *top, struct err *err)
{
    struct terminal terminal = terminal_of(stdout);
    if (!ask_once(top, err)) {
        return false;
    }
    build(top);
    json_reset(&top->bytes);
    once_write(&top->page, top->options->format, terminal.width, terminal.unicode, &top->bytes);
    fwrite(top->bytes.data, 1, top->bytes.size, stdout);
    return fflush(stdout) == 0 || err_set(err, ERR_FAILED, "standard output cannot be written");
}

static void done(struct top *top)
{
    remote_free(top->remote);
    past_done(&top->past);
    page_done(&top->page);
    node_done(&top->documents);
    node_done(&top->earlier);
    node_done(&top->opened);
    json_done(&top->opened_text);
    json_done(&top->bytes);
    grid_done(&top->grid);
    grid_done(&top->shown);
    free(top);
}

bool top_run(const struct top_options *options, struct err *err)
{
    struct top *top = calloc(1, sizeof *top);
    if (top == NULL) {
        return err_set(err, ERR_FAILED, "no memory");
    }
    top->options = options;
    top->minutes = WINDOW_MINUTES;
    top->remote = remote_new(&(struct remote_options){.url = options->url, .token = options->token,
                                                      .authority = options->authority,
                                                      .trusts_all = options->trusts_all},
                             err);
    view_init(&top->view, options->page);
    top->view.span = options->span;
    snprintf(top->view.set, sizeof top->view.set, "%s", options->set != NULL ? options->set : "");
    snprintf(top->view.places[options->page].filter, VIEW_FILTER_ROOM, "%s",
             options->filter != NULL ? options->filter : "");
    snprintf(top->policy, sizeof top->policy, "%s",
             options->policy != NULL ? options->policy : "");
    struct terminal terminal = terminal_of(stdout);
    bool is_screen = !options->is_once && terminal.moves;
    bool is_fine = top->remote != NULL && (is_screen ? run_screen(top, err) : run_once(top, err));
    done(top);
    return is_fine;
}
