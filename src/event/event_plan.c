// SPDX-License-Identifier: Apache-2.0
#include "event/event_plan.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "event/event_value.h"

enum { EVENT_TYPES_MAX = 256 };

/* Kinds that borrow something; all others are whole in their struct. */
enum {
    EVENT_BORROWS = 1 << EVENT_SPAN | 1 << EVENT_VALUE | 1 << EVENT_SPANS | 1 << EVENT_PAIRS |
                    1 << EVENT_ITEMS | 1 << EVENT_ADDRESSES
};

/* ---- Ways ----------------------------------------------------------------------------------- */

/* How many objects two paths have in common. */
static unsigned event_shared(const char *a, const char *b)
{
    unsigned shared = 0;
    for (; *a != '\0' && *a == *b; a++, b++) {
        shared += *a == '.';
    }
    return shared;
}

/* Writes the way of `field` at `to` and returns its end. */
static char *event_step_init(struct event_step *step, const struct event_field *field,
                             const char *before, char *to)
{
    *step = (struct event_step){
        .way = to,
        .offset = field->offset,
        .shared = (uint8_t)event_shared(before, field->name),
        .kind = (uint8_t)field->kind,
        .flags = field->flags,
    };
    *to++ = '"';
    for (const char *at = field->name; *at != '\0'; at++) {
        if (*at != '.') {
            *to++ = *at;
            continue;
        }
        memcpy(to, "\":{\"", 4);
        to += 4;
        assert(step->depth + 1 < EVENT_DEPTH_MAX);
        step->skip[++step->depth] = (uint16_t)(to - 1 - step->way);
    }
    memcpy(to, "\":", 2);
    to += 2;
    step->way_size = (uint16_t)(to - step->way);
    return to;
}

/* ---- Signs ---------------------------------------------------------------------------------- */

/* Where in a value of a kind, and of how many bytes, is what is zero when the value is empty; 0 bytes:
 * one has to look closer. */
static unsigned event_mark_of(enum event_kind kind, unsigned flags, unsigned *offset)
{
    *offset = 0;
    switch (kind) {
    case EVENT_BOOL:
    case EVENT_U8:
    case EVENT_TRUTH:
    case EVENT_INLINE:
        return 1;
    case EVENT_U16:
        return 2;
    case EVENT_U32:
        return 4;
    case EVENT_U64:
    case EVENT_TIME:
    case EVENT_I64:
        return 8;
    case EVENT_ADDRESS:
        *offset = offsetof(struct event_address, version);
        return 1;
    case EVENT_MAC:
        *offset = offsetof(struct event_mac, present);
        return 1;
    case EVENT_U16_LIST:
        *offset = offsetof(struct event_u16_list, count);
        return 1;
    case EVENT_SPAN:
    case EVENT_VALUE:
        *offset = flags & EVENT_EMPTY_TOO ? offsetof(struct span, data) : offsetof(struct span, size);
        return 8;
    case EVENT_SPANS:
    case EVENT_PAIRS:
    case EVENT_ITEMS:
    case EVENT_ADDRESSES: /* all of them begin with their count */
        return 4;
    case EVENT_OPTIONAL:
        *offset = offsetof(struct event_optional, present);
        return 1;
    default:
        return 0;
    }
}

_Static_assert(sizeof(size_t) == 8 && sizeof(void *) == 8, "a span's parts are tested as 64 bits");

static struct event_test event_test_of(const struct event_step *step, size_t struct_size)
{
    unsigned inside;
    unsigned size = event_mark_of(step->kind, step->flags, &inside);
    if (size == 0 || struct_size < sizeof(uint64_t)) {
        return (struct event_test){.offset = step->offset, .kind = step->kind};
    }
    size_t at = step->offset + inside;
    size_t last = struct_size - sizeof(uint64_t); /* the load stays within the struct */
    size_t offset = at < last ? at : last;
    uint64_t mask = size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
    return (struct event_test){.mask = mask << (at - offset) * 8, .offset = (uint16_t)offset,
                               .kind = step->kind};
}

/* The number of a test; fields that show the same value share one. */
static uint8_t event_plan_test(struct event_plan *plan, struct event_test test)
{
    unsigned i = 0;
    for (; i < plan->test_count; i++) {
        const struct event_test *other = &plan->tests[i];
        if (other->mask == test.mask && other->offset == test.offset &&
            (test.mask != 0 || other->kind == test.kind)) {
            return (uint8_t)i;
        }
    }
    plan->tests[plan->test_count++] = test;
    if (test.mask == 0) {
        plan->close[plan->close_count++] = (uint8_t)i;
    }
    return (uint8_t)i;
}

/* The number of a fixed text; EVENT_FIXED_MAX: there is no room for it. */
static uint8_t event_plan_fix(struct event_plan *plan, uint16_t offset)
{
    unsigned i = 0;
    while (i < plan->fixed_count && plan->fixed[i] != offset) {
        i++;
    }
    if (i == plan->fixed_count && i < EVENT_FIXED_MAX) {
        plan->fixed[plan->fixed_count++] = offset;
    }
    return (uint8_t)i;
}

static void event_step_sign(struct event_plan *plan, struct event_step *step)
{
    if (step->flags & EVENT_FIXED && (step->kind == EVENT_TEXT || step->kind == EVENT_JSON)) {
        step->sign = EVENT_SIGN_FIXED;
        step->place = event_plan_fix(plan, step->offset);
        if (step->place < EVENT_FIXED_MAX) {
            return;
        }
    }
    step->sign = EVENT_SIGN_ALWAYS;
    if (!(step->flags & EVENT_ALWAYS)) {
        step->sign = EVENT_SIGN_BIT;
        step->place =
            event_shape_place(event_plan_test(plan, event_test_of(step, plan->type->size)));
    }
}

/* ---- Plan ----------------------------------------------------------------------------------- */

static void event_plan_free(struct event_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (unsigned i = 0; i < plan->count; i++) {
        event_plan_free((struct event_plan *)plan->steps[i].item);
    }
    free(plan->loans);
    free(plan->fours);
    free(plan->tests);
    free(plan->ways);
    free(plan);
}

/* A plan with room for the steps of a type, none of them filled in. */
static struct event_plan *event_plan_room(const struct event_type *type)
{
    unsigned count = 0;
    size_t size = 0;
    struct event_walk walk = event_walk_of(type);
    for (const struct event_field *f; (f = event_walk_next(&walk)) != NULL;) {
        count++;
        size += 4 * strlen(f->name) + 3; /* a dot becomes four bytes at most */
    }
    assert(count <= EVENT_FIELDS_MAX);
    struct event_plan *plan = calloc(1, sizeof *plan + count * sizeof *plan->steps);
    char *ways = calloc(1, size + 1);
    struct event_test *tests = calloc(count + 1, sizeof *tests);
    struct event_loan *loans = calloc(count + 1, sizeof *loans);
    struct event_four *fours = calloc(count / 4 + 1, sizeof *fours);
    if (plan == NULL || ways == NULL || tests == NULL || loans == NULL || fours == NULL) {
        free(plan);
        free(ways);
        free(tests);
        free(loans);
        free(fours);
        return NULL;
    }
    *plan = (struct event_plan){.type = type, .ways = ways, .tests = tests, .fours = fours,
                                .loans = loans, .count = count};
    return plan;
}

static void event_plan_lend(struct event_plan *plan, struct event_loan loan)
{
    struct event_loan *place = &plan->loans[plan->loan_count++];
    if (loan.kind == EVENT_SPAN) {
        *place = plan->loans[plan->text_count];
        place = &plan->loans[plan->text_count++];
    }
    *place = loan;
}

static void event_plan_gather(struct event_plan *plan)
{
    for (unsigned i = 0; i < plan->test_count; i++) {
        const struct event_test *test = &plan->tests[i];
        plan->fours[i / 4].mask[i % 4 / 2][i % 2] = test->mask;
        plan->fours[i / 4].offset[i % 4] = test->mask != 0 ? test->offset : 0;
    }
}

static bool event_is_again(const struct event_plan *plan, const struct event_step *step)
{
    const struct event_step *before = plan->steps;
    while (before < step && before->offset != step->offset) {
        before++;
    }
    return before < step;
}

static struct event_plan *event_plan_new(const struct event_type *type)
{
    struct event_plan *plan = event_plan_room(type);
    if (plan == NULL) {
        return NULL;
    }
    char *to = plan->ways;
    const char *before = "";
    struct event_walk walk = event_walk_of(type);
    for (struct event_step *step = plan->steps; step < plan->steps + plan->count; step++) {
        const struct event_field *f = event_walk_next(&walk);
        to = event_step_init(step, f, before, to);
        event_step_sign(plan, step);
        step->is_again = event_is_again(plan, step);
        plan->has_ends |= (f->flags & EVENT_ENDS) != 0;
        before = f->name;
        if (f->kind == EVENT_ITEMS) {
            step->item = event_plan_new(f->item);
            if (step->item == NULL) {
                event_plan_free(plan);
                return NULL;
            }
        }
        if (EVENT_BORROWS >> f->kind & 1 && !(f->flags & EVENT_COPY)) {
            event_plan_lend(plan, (struct event_loan){
                .item = step->item, .offset = f->offset, .kind = (uint8_t)f->kind});
        }
    }
    event_plan_gather(plan);
    return plan;
}

/* An open-addressed table by the type's address, whose entries are set once and never change. */
const struct event_plan *event_plan_of(const struct event_type *type)
{
    static _Atomic(struct event_plan *) plans[EVENT_TYPES_MAX];
    size_t start = (uintptr_t)type / sizeof *type;
    for (size_t i = 0;; i++) {
        assert(i < EVENT_TYPES_MAX);
        _Atomic(struct event_plan *) *place = &plans[(start + i) % EVENT_TYPES_MAX];
        struct event_plan *plan = atomic_load_explicit(place, memory_order_acquire);
        if (plan == NULL) {
            struct event_plan *made = event_plan_new(type);
            if (made == NULL || atomic_compare_exchange_strong(place, &plan, made)) {
                return made;
            }
            event_plan_free(made); /* another thread was first */
        }
        if (plan->type == type) {
            return plan;
        }
    }
}

/* ---- Shape ---------------------------------------------------------------------------------- */

typedef uint32_t event_quarters __attribute__((vector_size(16)));

/* All bits of each of four tests that finds nothing. */
static inline event_quarters event_tests_empty(const struct event_four *test, const uint8_t *event)
{
    event_two a = {load_le64(event + test->offset[0]), load_le64(event + test->offset[1])};
    event_two b = {load_le64(event + test->offset[2]), load_le64(event + test->offset[3])};
    event_quarters of_a = (event_quarters)(a & test->mask[0]);
    event_quarters of_b = (event_quarters)(b & test->mask[1]);
    event_quarters either = __builtin_shufflevector(of_a, of_b, 0, 2, 4, 6) |
                            __builtin_shufflevector(of_a, of_b, 1, 3, 5, 7);
    return (event_quarters)(either == 0);
}

/* The bits of up to 128 tests; the last ones come first, so that what there is has only to be doubled.
 * Where one has to look closer, the mask finds nothing. */
static inline void event_tests_run(const struct event_four *tests, unsigned count,
                                   const uint8_t *event, uint64_t *bits)
{
    event_quarters empty = {0};
    for (unsigned i = count; i-- > 0;) {
        empty += empty - event_tests_empty(&tests[i], event);
    }
    memcpy(bits, &empty, sizeof empty);
}

static void event_tests_look(const struct event_plan *plan, const uint8_t *event,
                             struct event_shape *ret)
{
    for (unsigned i = 0; i < plan->close_count; i++) {
        const struct event_test *test = &plan->tests[plan->close[i]];
        unsigned place = event_shape_place(plan->close[i]);
        uint64_t bit = !event_value_is_empty(test->kind, event + test->offset);
        ret->bits[place / 64] &= ~(bit << place % 64);
    }
}

/* Where the hash is needed all its bits have gone into the upper half of a product. */
static inline uint64_t event_hash(uint64_t hash, uint64_t value)
{
    return (hash << 7 | hash >> 57) ^ value;
}

static inline uint64_t event_hash_end(uint64_t hash)
{
    hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
    return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u >> 32;
}

uint64_t event_plan_shape(const struct event_plan *plan, const void *event, struct event_shape *ret)
{
    enum { ONCE = 128, WORDS = 2 }; /* tests in a run, and the words of their bits */
    const uint8_t *from = event;
    uint64_t hash = (uintptr_t)plan;
    bool is_small = plan->type->size < sizeof(uint64_t); /* no test has eight bytes to load */
    *ret = (struct event_shape){.bits = {is_small ? UINT64_MAX : 0, is_small ? UINT64_MAX : 0}};
    unsigned words = (plan->test_count + ONCE - 1) / ONCE * WORDS;
    for (unsigned at = 0; at < plan->test_count && !is_small; at += ONCE) {
        unsigned left = plan->test_count - at;
        event_tests_run(plan->fours + at / 4, left < ONCE ? (left + 3) / 4 : ONCE / 4, from,
                        ret->bits + at / ONCE * WORDS);
    }
    event_tests_look(plan, from, ret);
    for (unsigned word = 0; word < words; word++) {
        hash = event_hash(hash, ret->bits[word] * 0x9e3779b97f4a7c15u);
    }
    for (unsigned i = 0; i < plan->fixed_count; i++) {
        uint64_t text = load_le64(from + plan->fixed[i]);
        memcpy(&ret->fixed[i], &text, sizeof text);
        hash = event_hash(hash, text);
    }
    return event_hash_end(hash);
}

bool event_shape_same(const struct event_shape *a, const struct event_shape *b)
{
    _Static_assert(sizeof *a % sizeof(event_two) == 0, "nothing is left over");
    event_two differs = {0, 0};
    for (size_t at = 0; at < sizeof *a; at += sizeof(event_two)) {
        event_two of_a, of_b;
        memcpy(&of_a, (const uint8_t *)a + at, sizeof of_a);
        memcpy(&of_b, (const uint8_t *)b + at, sizeof of_b);
        differs |= of_a ^ of_b;
    }
    return (differs[0] | differs[1]) == 0;
}
