// SPDX-License-Identifier: Apache-2.0
#include "base/pages.h"

#include <sys/mman.h>

enum { PAGES_HUGE = 2 << 20 };

void *pages_reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED) {
        return NULL;
    }
    if (size >= PAGES_HUGE) {
        madvise(at, size, MADV_HUGEPAGE); /* advice: a kernel without it is as correct */
    }
    return at;
}

void pages_discard(void *at, size_t size)
{
    madvise(at, size, MADV_DONTNEED);
}

void pages_release(void *at, size_t size)
{
    if (at != NULL) {
        munmap(at, size);
    }
}
