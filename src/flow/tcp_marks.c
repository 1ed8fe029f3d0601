// SPDX-License-Identifier: Apache-2.0
#include "flow/tcp_marks.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 2048, /* of the first grid; a picture has some thousand */
    ASPECT = 2,     /* columns for a row */
    WAYS = 2,
};

/* Kinds that are drawn on one scale. */
enum scale { SCALE_BYTES, SCALE_FLIGHT, SCALE_TIME, SCALES };

/* What all marks of a scale span. */
struct extent {
    int64_t low, high;
};

struct grid {
    uint64_t first_ns, cell_ns;
    struct extent extents[SCALES][WAYS];
    uint64_t cells[SCALES][WAYS]; /* height of a row */
};

bool tcp_marks_init(struct tcp_marks *marks, uint32_t room, struct err *err)
{
    *marks = (struct tcp_marks){.room = room};
    marks->marks = calloc(room, sizeof *marks->marks);
    marks->cells = calloc((size_t)room * 2, sizeof *marks->cells);
    marks->keys = calloc(room, sizeof *marks->keys);
    if (marks->marks == NULL || marks->cells == NULL || marks->keys == NULL) {
        tcp_marks_done(marks);
        return err_set(err, ERR_FAILED, "out of memory");
    }
    return true;
}

void tcp_marks_done(struct tcp_marks *marks)
{
    free(marks->marks);
    free(marks->cells);
    free(marks->keys);
    *marks = (struct tcp_marks){0};
}

void tcp_marks_clear(struct tcp_marks *marks)
{
    marks->count = marks->columns = 0;
    marks->seen = 0;
}

/* ---- The grid -------------------------------------------------------------------------------- */

static enum scale scale_of(unsigned kind)
{
    if (kind == TCP_MARK_FLIGHT) {
        return SCALE_FLIGHT;
    }
    return kind == TCP_MARK_ROUND_TRIP || kind == TCP_MARK_DELAY ? SCALE_TIME : SCALE_BYTES;
}

static bool is_line(unsigned kind)
{
    return kind == TCP_MARK_ACK || kind == TCP_MARK_WINDOW || kind == TCP_MARK_FLIGHT;
}

static void measure(const struct tcp_marks *marks, struct grid *ret)
{
    memset(ret, 0, sizeof *ret);
    for (unsigned i = 0; i < SCALES * WAYS; i++) {
        ret->extents[i / WAYS][i % WAYS] = (struct extent){INT64_MAX, INT64_MIN};
    }
    for (uint32_t i = 0; i < marks->count; i++) {
        const struct tcp_mark *m = &marks->marks[i];
        struct extent *e = &ret->extents[scale_of(m->kind)][m->way];
        e->low = m->from < e->low ? m->from : e->low;
        e->high = m->from > e->high ? m->from : e->high;
    }
    uint32_t rows = marks->columns / ASPECT;
    uint64_t span_ns = marks->marks[marks->count - 1].time_ns - marks->marks[0].time_ns;
    ret->first_ns = marks->marks[0].time_ns;
    ret->cell_ns = span_ns / marks->columns + 1;
    for (unsigned i = 0; i < SCALES * WAYS; i++) {
        const struct extent *e = &ret->extents[i / WAYS][i % WAYS];
        uint64_t span = e->high > e->low ? (uint64_t)e->high - (uint64_t)e->low : 0;
        ret->cells[i / WAYS][i % WAYS] = span / (rows + 1) + 1;
    }
}

/* The cell of a mark: one number for kind, way, column and row. */
static uint64_t cell_of(const struct grid *grid, const struct tcp_mark *m)
{
    enum scale scale = scale_of(m->kind);
    uint64_t column = (m->time_ns - grid->first_ns) / grid->cell_ns;
    uint64_t above = (uint64_t)m->from - (uint64_t)grid->extents[scale][m->way].low;
    uint64_t row = above / grid->cells[scale][m->way];
    return ((row << 16 | column) << 8 | m->kind) << 1 | m->way;
}

/* ---- Thinning -------------------------------------------------------------------------------- */

static void merge(struct tcp_mark *kept, const struct tcp_mark *m)
{
    if (!is_line(m->kind)) {
        kept->from = m->from < kept->from ? m->from : kept->from;
        kept->to = m->to > kept->to ? m->to : kept->to;
    }
    kept->count = m->count > UINT32_MAX - kept->count ? UINT32_MAX : kept->count + m->count;
}

/* The mark of the cell, or the place where its index belongs. */
static uint32_t *find_place(const struct tcp_marks *marks, uint64_t key)
{
    uint32_t size = marks->room * 2;
    uint64_t at = (key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % size;
    while (marks->cells[at] != 0 && marks->keys[marks->cells[at] - 1] != key) {
        at = at + 1 < size ? at + 1 : 0;
    }
    return &marks->cells[at];
}

/* A pass over all: of each cell the first mark stays. */
static void thin(struct tcp_marks *marks)
{
    struct grid grid;
    measure(marks, &grid);
    memset(marks->cells, 0, (size_t)marks->room * 2 * sizeof *marks->cells);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < marks->count; i++) {
        struct tcp_mark m = marks->marks[i];
        uint64_t key = cell_of(&grid, &m);
        uint32_t *place = find_place(marks, key);
        if (*place != 0) {
            merge(&marks->marks[*place - 1], &m);
            continue;
        }
        marks->keys[kept] = key;
        marks->marks[kept] = m;
        *place = ++kept;
    }
    marks->count = kept;
}

static void make_room(struct tcp_marks *marks)
{
    if (marks->columns == 0) {
        marks->columns = COLUMNS;
    }
    for (;;) {
        thin(marks);
        if (marks->count <= marks->room / 4 * 3 || marks->columns == 1) {
            return;
        }
        marks->columns /= 2;
    }
}

void tcp_marks_add(struct tcp_marks *marks, const struct tcp_mark *mark)
{
    if (marks->count == marks->room) {
        make_room(marks);
    }
    struct tcp_mark *to = &marks->marks[marks->count];
    *to = *mark;
    to->count = 1;
    if (marks->count > 0 && to->time_ns < to[-1].time_ns) {
        to->time_ns = to[-1].time_ns;
    }
    marks->count++;
    marks->seen++;
}

const char *tcp_mark_name(enum tcp_mark_kind kind)
{
    static const char *const names[TCP_MARK_KINDS] = {
        [TCP_MARK_DATA] = "data",
        [TCP_MARK_REPEAT] = "repeat",
        [TCP_MARK_FILL] = "fill",
        [TCP_MARK_LATE] = "late",
        [TCP_MARK_COPY] = "copy",
        [TCP_MARK_PROBE] = "probe",
        [TCP_MARK_SACK] = "sack",
        [TCP_MARK_DSACK] = "dsack",
        [TCP_MARK_MISSED] = "missed",
        [TCP_MARK_ZERO_WINDOW] = "zero_window",
        [TCP_MARK_SYN] = "syn",
        [TCP_MARK_FIN] = "fin",
        [TCP_MARK_RST] = "rst",
        [TCP_MARK_ACK] = "ack",
        [TCP_MARK_WINDOW] = "window",
        [TCP_MARK_FLIGHT] = "flight",
        [TCP_MARK_ROUND_TRIP] = "round_trip",
        [TCP_MARK_DELAY] = "delay",
    };
    return names[kind];
}
