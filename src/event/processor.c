// SPDX-License-Identifier: Apache-2.0
#include "event/processor.h"

#include <stdlib.h>

#include "base/suggest.h"
#include "base/text.h"
#include "event/processor_core.h"

enum { DEPTH_MAX = 10, NAME_MAX_BYTES = 64 };

/* One entry of a list: a processor, or a fork (if, then, else). */
struct step {
    struct step *next;
    struct condition *when;           /* NULL: always */
    const struct processor_kind *kind; /* NULL: a fork */
    void *state;
    struct step *then_;
    struct step *else_;
};

struct processors {
    struct nodes tree;
    struct processor_facts facts;
    struct step *first;
};

static const struct processor_kind *const tables[] = {
    processor_field_kinds,
    processor_move_kinds,
    processor_text_kinds,
    processor_casing_kinds,
    processor_convert_kinds,
    processor_dissect_kinds,
    processor_decode_kinds,
    processor_fact_kinds,
    processor_time_kinds,
    processor_foreign_kinds,
};
enum { TABLES = sizeof tables / sizeof *tables };

static const struct processor_kind *kind_at(size_t index)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (const struct processor_kind *kind = tables[i]; kind->name != NULL; kind++) {
            if (index-- == 0) {
                return kind;
            }
        }
    }
    return NULL;
}

const char *processor_name(size_t index)
{
    const struct processor_kind *kind = kind_at(index);
    return kind != NULL ? kind->name : NULL;
}

/* ---- Options ---------------------------------------------------------------------------------- */

const struct node *processor_option(struct processor_making *m, const char *name)
{
    struct node *node = node_member(m->options, span_str(name));
    if (node == NULL) {
        return NULL;
    }
    node->used = true;
    return node->kind != NODE_NULL ? node : NULL;
}

bool processor_flag(struct processor_making *m, const char *name, bool otherwise)
{
    const struct node *node = processor_option(m, name);
    if (node != NULL && node->kind != NODE_BOOL) {
        condition_refuse(node, m->err, "%s is true or false", name);
    }
    return node != NULL ? node_is(node, "true") : otherwise;
}

struct span processor_text(struct processor_making *m, const char *name, const char *otherwise)
{
    const struct node *node = processor_option(m, name);
    if (node != NULL && !node_is_scalar(node)) {
        condition_refuse(node, m->err, "%s is a single value", name);
        return (struct span){0};
    }
    return node != NULL ? node->text : otherwise != NULL ? span_str(otherwise) : (struct span){0};
}

int64_t processor_number(struct processor_making *m, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    char text[TEXT_ROOM] = "";
    const struct node *node = processor_option(m, name);
    if (node == NULL) {
        return otherwise;
    }
    if (node_is_scalar(node) && node->text.size < sizeof text) {
        memcpy(text, node->text.data, node->text.size);
    }
    if (!text_parse_number(text, &number)) {
        condition_refuse(node, m->err, "%s is a whole number", name);
    }
    return number;
}

const struct node *processor_list(struct processor_making *m, const char *name)
{
    const struct node *node = processor_option(m, name);
    if (node != NULL && node->kind == NODE_TEXT) {
        struct node *list = node_new(m->tree, NODE_LIST, (struct span){0});
        node_append(list, node_clone(m->tree, node));
        return list;
    }
    if (node == NULL || node->kind != NODE_LIST) {
        condition_refuse(node != NULL ? node : m->options, m->err, "'%s' is a list that it needs",
                         name);
        return NULL;
    }
    return node;
}

static bool read_pair(struct processor_making *m, const struct node *item,
                      struct processor_pair *ret)
{
    struct node *from = node_member(item, span_str("from"));
    struct node *to = node_member(item, span_str("to"));
    if (from == NULL && item->kind == NODE_MAP) {
        from = node_member(item, span_str("field"));
    }
    if (item->kind == NODE_TEXT) {
        *ret = (struct processor_pair){.from = item->text, .to = item->text, .options = item};
        return true;
    }
    if (from == NULL || !node_is_scalar(from) || (to != NULL && !node_is_scalar(to))) {
        return condition_refuse(item, m->err, "fields are pairs: {from: a, to: b}");
    }
    *ret = (struct processor_pair){
        .from = from->text,
        .to = to != NULL && to->text.size > 0 ? to->text : from->text,
        .options = item,
    };
    return true;
}

bool processor_read_pairs(struct processor_making *m, struct processor_pairs *ret)
{
    const struct node *list = processor_list(m, "fields");
    *ret = (struct processor_pairs){
        .ignore_missing = processor_flag(m, "ignore_missing", false),
        .fail_on_error = processor_flag(m, "fail_on_error", true),
    };
    if (list == NULL) {
        return false;
    }
    size_t count = 0;
    for (const struct node *item = list->first; item != NULL; item = item->next) {
        count++;
    }
    ret->items = node_allocate(m->tree, (count + 1) * sizeof *ret->items);
    for (const struct node *item = list->first; item != NULL; item = item->next) {
        if (!read_pair(m, item, &ret->items[ret->count++])) {
            return false;
        }
    }
    return true;
}

/* ---- Events ----------------------------------------------------------------------------------- */

const char processor_is_missing[] = "is not there";

struct node *processor_get(const struct processor_event *e, struct span path)
{
    return node_find(e->root, path);
}

struct node *processor_take(struct processor_event *e, struct span path)
{
    bool stays = span_equal(path, span_str("@timestamp"));
    return stays ? NULL : node_take(e->root, path);
}

bool processor_put_text(struct processor_event *e, struct span path, struct span text)
{
    return node_put(e->tree, e->root, path, node_new(e->tree, NODE_TEXT, text));
}

struct node *processor_remember(const struct processor_event *e)
{
    return node_clone(e->tree, e->root);
}

void processor_restore(struct processor_event *e, const struct node *was)
{
    if (was != NULL) {
        e->root->first = was->first;
        e->root->last = was->last;
    }
}

void processor_complain(struct processor_event *e, const char *processor, struct span field,
                        const char *what)
{
    struct span text = node_format(e->tree, "%s: field '%.*s' %s", processor, (int)field.size,
                                   field.data, what);
    processor_put_text(e, span_str("error.message"), text);
    e->has_failed = true;
}

void processor_flag_event(struct processor_event *e, const char *flag)
{
    const struct span path = span_str("log.flags");
    struct node *flags = processor_get(e, path);
    if (flags == NULL) {
        node_put(e->tree, e->root, path, node_new(e->tree, NODE_LIST, (struct span){0}));
        flags = processor_get(e, path);
    }
    if (flags != NULL && flags->kind == NODE_LIST) {
        node_append(flags, node_new(e->tree, NODE_TEXT, span_str(flag)));
    }
}

void processor_run_pairs(const struct processor_pairs *all, struct processor_event *e,
                         const char *processor, processor_pair_step *step)
{
    struct node *was = all->fail_on_error && all->count > 1 ? processor_remember(e) : NULL;
    for (size_t i = 0; i < all->count; i++) {
        struct span at = all->items[i].from;
        const char *fault = step(e, &all->items[i], &at);
        bool is_fine = fault == NULL || (fault == processor_is_missing && all->ignore_missing);
        if (!is_fine && all->fail_on_error) {
            processor_restore(e, was);
            processor_complain(e, processor, at, fault);
            return;
        }
    }
}

/* ---- Making ----------------------------------------------------------------------------------- */

struct maker {
    struct processors *list;
    struct node *ignored;
    struct err *err;
    unsigned depth;
};

static bool make_list(struct maker *m, struct step **ret, const struct node *list);

static const struct processor_kind *find_kind(struct maker *m, const struct node *node)
{
    char name[NAME_MAX_BYTES] = "";
    if (node->name.size < sizeof name) {
        memcpy(name, node->name.data, node->name.size);
    }
    struct suggest suggest = suggest_of(name);
    for (size_t i = 0; kind_at(i) != NULL; i++) {
        if (strcmp(kind_at(i)->name, name) == 0) {
            return kind_at(i);
        }
        suggest_offer(&suggest, kind_at(i)->name);
    }
    condition_refuse(node, m->err, "there is no processor '%.*s'%s%s%s", (int)node->name.size,
                     node->name.data, suggest.best != NULL ? " (did you mean " : "",
                     suggest.best != NULL ? suggest.best : "", suggest.best != NULL ? "?)" : "");
    return NULL;
}

static bool check_leftovers(struct maker *m, const char *name, const struct node *options)
{
    for (const struct node *child = options->first; child != NULL; child = child->next) {
        bool is_common = node_is(&(struct node){.text = child->name}, "when") ||
                         node_is(&(struct node){.text = child->name}, "tag");
        if (!child->used && !is_common) {
            return condition_refuse(child, m->err, "%s has no option '%.*s'", name,
                                    (int)child->name.size, child->name.data);
        }
    }
    return true;
}

static bool make_condition(struct maker *m, struct step *step, const struct node *when)
{
    step->when = when != NULL ? condition_new(&m->list->tree, when, m->err) : NULL;
    return when == NULL || step->when != NULL;
}

/* One that other programs have and that does nothing here. */
static bool pass_over(struct maker *m, const struct processor_kind *kind, const struct node *node)
{
    if (kind->matters) {
        return condition_refuse(node, m->err, "the processor %s is not available: %s", kind->name,
                                kind->refusal);
    }
    if (m->ignored != NULL) {
        struct node *name = node_new(&m->list->tree, NODE_TEXT,
                                     node_format(&m->list->tree, "%s%s%s%s", kind->name,
                                                 kind->refusal != NULL ? " (" : "",
                                                 kind->refusal != NULL ? kind->refusal : "",
                                                 kind->refusal != NULL ? ")" : ""));
        name->line = node->line;
        name->column = node->column;
        node_append(m->ignored, name);
    }
    return true;
}

static bool make_processor(struct maker *m, struct step *step, struct node *node)
{
    const struct processor_kind *kind = find_kind(m, node);
    if (kind == NULL) {
        return false;
    }
    if (kind->run == NULL) {
        return pass_over(m, kind, node);
    }
    struct node nothing = {.kind = NODE_MAP, .line = node->line, .column = node->column};
    struct processor_making making = {
        .tree = &m->list->tree,
        .options = node->kind == NODE_MAP ? node : &nothing,
        .err = m->err,
    };
    if (node->kind != NODE_MAP && node->kind != NODE_NULL) {
        return condition_refuse(node, m->err, "the options of %s are a mapping", kind->name);
    }
    step->kind = kind;
    step->state = kind->make != NULL ? kind->make(&making) : &step->state;
    return step->state != NULL && m->err->code == ERR_NONE &&
           make_condition(m, step, node_member(making.options, span_str("when"))) &&
           check_leftovers(m, kind->name, making.options);
}

static bool make_branch(struct maker *m, struct step **ret, struct node *branch)
{
    if (branch == NULL) {
        return true;
    }
    if (branch->kind == NODE_LIST) {
        return make_list(m, ret, branch);
    }
    struct node *list = node_new(&m->list->tree, NODE_LIST, (struct span){0});
    node_append(list, node_clone(&m->list->tree, branch));
    return make_list(m, ret, list);
}

static bool make_step(struct maker *m, struct step *step, const struct node *item)
{
    struct node *fork = node_member(item, span_str("if"));
    if (fork != NULL) {
        return make_condition(m, step, fork) &&
               make_branch(m, &step->then_, node_member(item, span_str("then"))) &&
               make_branch(m, &step->else_, node_member(item, span_str("else")));
    }
    if (item->kind != NODE_MAP || item->first == NULL || item->first->next != NULL) {
        return condition_refuse(item, m->err,
                                "each item of the list is one processor, as '- drop_event:'");
    }
    return make_processor(m, step, item->first);
}

static bool make_list(struct maker *m, struct step **ret, const struct node *list)
{
    if (list->kind != NODE_LIST) {
        return condition_refuse(list, m->err, "processors are a list: begin each with '- '");
    }
    if (m->depth == DEPTH_MAX) {
        return condition_refuse(list, m->err, "more than %d forks in one another", DEPTH_MAX);
    }
    m->depth++;
    for (const struct node *item = list->first; item != NULL; item = item->next) {
        struct step *step = node_allocate(&m->list->tree, sizeof *step);
        *ret = step;
        ret = &step->next;
        if (!make_step(m, step, item)) {
            return false;
        }
    }
    m->depth--;
    return true;
}

struct processors *processors_new(const struct node *list, const struct processor_facts *facts,
                                  struct node *ignored, struct err *err)
{
    struct processors *all = calloc(1, sizeof *all);
    if (all == NULL) {
        abort();
    }
    all->facts = facts != NULL ? *facts : (struct processor_facts){0};
    struct maker m = {.list = all, .ignored = ignored, .err = err};
    if (!make_list(&m, &all->first, list)) {
        processors_free(all);
        return NULL;
    }
    return all;
}

static void free_steps(struct step *step)
{
    for (; step != NULL; step = step->next) {
        condition_free(step->when);
        if (step->kind != NULL && step->kind->done != NULL && step->state != NULL) {
            step->kind->done(step->state);
        }
        free_steps(step->then_);
        free_steps(step->else_);
    }
}

void processors_free(struct processors *processors)
{
    if (processors != NULL) {
        free_steps(processors->first);
        node_done(&processors->tree);
        free(processors);
    }
}

/* ---- Running ---------------------------------------------------------------------------------- */

/* Of the outermost list all are run, whatever becomes of them; a branch ends with what fails in it, as
 * in Elastic's programs. */
static void run_steps(const struct step *step, struct processor_event *e, bool is_branch)
{
    for (; step != NULL && !e->is_dropped && !(is_branch && e->has_failed); step = step->next) {
        bool holds = step->when == NULL || condition_holds(step->when, e->root);
        e->has_failed = false;
        if (step->kind == NULL) {
            run_steps(holds ? step->then_ : step->else_, e, true);
        } else if (holds) {
            step->kind->run(step->state, e);
        }
    }
}

bool processors_run(const struct processors *processors, struct nodes *tree,
                    struct node *event)
{
    struct processor_event e = {.tree = tree, .root = event, .facts = &processors->facts};
    run_steps(processors->first, &e, false);
    return !e.is_dropped;
}
