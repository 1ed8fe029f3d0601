// SPDX-License-Identifier: Apache-2.0
#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES_HUGE = 2 << 20 };

static void *pages_map(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    return at != MAP_FAILED ? at : NULL;
}

void *pages_reserve(size_t size)
{
    void *at = pages_map(size);
    if (at != NULL && size >= PAGES_HUGE) {
        madvise(at, size, MADV_HUGEPAGE); /* advice: a kernel without it is as correct */
    }
    return at;
}

void *pages_reserve_sparse(size_t size)
{
    void *at = pages_map(size);
    if (at != NULL) {
        madvise(at, size, MADV_NOHUGEPAGE);
    }
    return at;
}

void pages_discard(void *at, size_t size)
{
    madvise(at, size, MADV_DONTNEED);
}

void pages_trim(void *at, size_t size, size_t kept)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (kept + page - 1) / page * page;
    if (whole < size) {
        munmap((uint8_t *)at + whole, size - whole);
    }
}

void *pages_resize(void *at, size_t size, size_t wanted)
{
    void *there = mremap(at, size, wanted, MREMAP_MAYMOVE);
    return there != MAP_FAILED ? there : NULL;
}

void pages_release(void *at, size_t size)
{
    if (at != NULL) {
        munmap(at, size);
    }
}
