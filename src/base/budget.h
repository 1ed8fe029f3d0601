// SPDX-License-Identifier: Apache-2.0
/* Memory that several tables share: who grows takes of it first, and mostly never gives back, as pages
 * that were touched stay; only who gives its pages back to the system gives back here, too. A budget may have another one behind it, from which it takes what it does not have
 * itself: so each table has a part that nobody can take from it, and all have a part that goes to who
 * needs it. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    uint64_t left;         /* bytes */
    struct budget *behind; /* or NULL */
};

/* Where so many bytes can be had at once; NULL: nowhere. */
static inline struct budget *budget_with(struct budget *budget, uint64_t bytes)
{
    while (budget != NULL && budget->left < bytes) {
        budget = budget->behind;
    }
    return budget;
}

/* Takes so many bytes; false when they cannot be had. */
static inline bool budget_take(struct budget *budget, uint64_t bytes)
{
    struct budget *from = budget_with(budget, bytes);
    if (from != NULL) {
        from->left -= bytes;
    }
    return from != NULL;
}

/* Gives bytes back to the one that they were had from. */
static inline void budget_give(struct budget *budget, uint64_t bytes)
{
    budget->left += bytes;
}

/* The entries 1, 2, 3 … of an array whose address space is reserved: each is paid when it is used for
 * the first time, a few at once. */
struct budget_row {
    struct budget *budget; /* NULL: nobody asks */
    uint64_t bytes_each;
    uint32_t most;  /* entries */
    uint32_t used;  /* the largest number so far */
    uint32_t paid;
};

enum { BUDGET_ROW_STEP = 64 }; /* entries paid at once */

/* Whether there is one more. */
static inline bool budget_row_has(const struct budget_row *row)
{
    bool is_paid = row->budget == NULL || row->used < row->paid ||
                   budget_with(row->budget, BUDGET_ROW_STEP * row->bytes_each) != NULL;
    return row->used < row->most && is_paid;
}

/* The number of the next one; 0 when there is none. */
static inline uint32_t budget_row_next(struct budget_row *row)
{
    if (!budget_row_has(row)) {
        return 0;
    }
    if (row->budget != NULL && row->used == row->paid) {
        (void)budget_take(row->budget, BUDGET_ROW_STEP * row->bytes_each);
        row->paid += BUDGET_ROW_STEP;
    }
    return ++row->used;
}
