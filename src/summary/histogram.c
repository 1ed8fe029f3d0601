// SPDX-License-Identifier: Apache-2.0
#include "summary/histogram.h"

#include <math.h>

void histogram_add(struct histogram *h, struct histogram_bounds bounds, double value)
{
    if (isnan(value)) {
        return;
    }
    uint32_t bucket = 0;
    while (bucket < bounds.count && value > bounds.at[bucket]) {
        bucket++;
    }
    histogram_counts(h)[bucket]++;
    h->count++;
    h->sum += value;
}

void histogram_merge(struct histogram *into, const struct histogram *from,
                     struct histogram_bounds bounds)
{
    for (uint32_t i = 0; i <= bounds.count; i++) {
        histogram_counts(into)[i] += histogram_counts(from)[i];
    }
    into->count += from->count;
    into->sum += from->sum;
}
