// SPDX-License-Identifier: Apache-2.0
#include "proto/thrift/thrift_flow.h"
#include "proto/proto_draft.h"
#include "proto/thrift/thrift_text.h"

enum { TEXTS_LEAST = 1 << 10, ROOM_SURE = (2 * PROTO_TEXT_SURE) + TEXTS_LEAST, EXPANSION = 6 };

static void begin_text(struct thrift_record *r, const struct thrift_writer *w,
                       enum thrift_text which)
{
    r->text[which].at = (uint32_t)(w->at - r->bytes_of_texts);
}

static void end_text(struct thrift_record *r, const struct thrift_writer *w, enum thrift_text which)
{
    r->text[which].size = (uint32_t)(w->at - r->bytes_of_texts) - r->text[which].at;
}

static void add_text(struct thrift_record *r, struct thrift_writer *w, enum thrift_text which,
                     struct span text)
{
    begin_text(r, w, which);
    thrift_put(w, text);
    end_text(r, w, which);
}

/* What is thrown that no method declares: a text and a number, as thrift-rpc.md says. */
static void write_exception(struct thrift_record *r, struct thrift_writer *w)
{
    begin_text(r, w, THRIFT_THROWN);
    thrift_put_struct(w, NULL);
    end_text(r, w, THRIFT_THROWN);
    r->has_failed = true;
}

static void write_reply(struct thrift_record *r, struct thrift_writer *w,
                        const struct thrift_method_names *names)
{
    struct cursor from = w->from;
    const struct thrift_struct_names *result = names != NULL ? &names->result : NULL;
    begin_text(r, w, THRIFT_VALUE);
    thrift_put_returned(w, result);
    end_text(r, w, THRIFT_VALUE);
    w->from = from;
    begin_text(r, w, THRIFT_THROWN);
    thrift_put_exceptions(w, result);
    end_text(r, w, THRIFT_THROWN);
    r->has_failed = r->text[THRIFT_THROWN].size > 0;
}

static void write_call(struct thrift_record *r, struct thrift_writer *w,
                       const struct thrift_method_names *names)
{
    begin_text(r, w, THRIFT_VALUE);
    thrift_put_struct(w, names != NULL ? &names->parameters : NULL);
    end_text(r, w, THRIFT_VALUE);
    r->is_oneway = r->kind == THRIFT_ONEWAY || (names != NULL && names->is_oneway);
}

static void write(struct thrift_record *r, struct thrift_writer *w, const struct thrift_head *head,
                  const struct thrift_options *options)
{
    /* Services that share a connection are named before the method: thrift-rpc.md, multiplexing. */
    struct span method = head->name, service = span_of(head->name.data, 0);
    const uint8_t *colon = memchr(method.data, ':', method.size);
    if (colon != NULL) {
        service = span_head(method, (size_t)(colon - method.data));
        method = span_skip(method, service.size + 1);
    }
    const struct thrift_method_names *names =
        thrift_idl_method(options->idl, service, method, &service);
    add_text(r, w, THRIFT_SERVICE, service);
    add_text(r, w, THRIFT_METHOD, method);
    if (head->kind == THRIFT_EXCEPTION) {
        write_exception(r, w);
    } else if (head->kind == THRIFT_REPLY) {
        write_reply(r, w, names);
        if (!options->capture_reply) {
            r->text[THRIFT_VALUE].size = 0;
        }
    } else {
        write_call(r, w, names);
    }
}

/* How much room the texts of a message may need: none takes more than a few times its bytes. */
static size_t room_for(const struct thrift_options *options, size_t body)
{
    size_t most = (size_t)options->max_message_size + TEXTS_LEAST;
    size_t room = EXPANSION * body < most ? EXPANSION * body : most;
    return room > ROOM_SURE ? room : ROOM_SURE;
}

/* Why texts are not whole: there was no room for them, or the message is not all there. */
static enum proto_cut cut_of(const struct thrift_writer *w, size_t room, size_t most,
                             enum proto_cut cut)
{
    if (w->is_full) {
        return room >= most ? PROTO_CUT_AT_MOST : PROTO_CUT_SHORT;
    }
    return w->from.bad ? cut : PROTO_CUT_NOT;
}

struct thrift_record *thrift_record_new(const struct proto_context *c,
                                        const struct thrift_head *head, struct span body,
                                        enum proto_cut cut)
{
    const struct thrift_options *options = thrift_options_of(c);
    size_t room = room_for(options, body.size);
    struct thrift_record *r = draft_take(c->memory, sizeof *r, &room, ROOM_SURE);
    if (r == NULL) {
        return NULL;
    }
    *r = (struct thrift_record){.sequence = head->sequence, .kind = head->kind};
    struct thrift_limits limits = {
        .text_max = (size_t)options->text_max,
        .elements_max = (uint32_t)options->elements_max,
        .fields_max = (uint32_t)options->fields_max,
        .hides_texts = options->hides_texts,
    };
    struct thrift_writer w = {
        .from = cursor_of(body),
        .is_compact = head->is_compact,
        .limits = &limits,
        .at = r->bytes_of_texts,
        .end = r->bytes_of_texts + room,
    };
    write(r, &w, head, options);
    r->is_dropped = w.has_too_many;
    r->cut = (uint8_t)cut_of(&w, room, (size_t)options->max_message_size, cut);
    r->link.weight = r->size = (uint32_t)(w.at - r->bytes_of_texts);
    return draft_fit(c->memory, r, sizeof *r + r->size);
}
