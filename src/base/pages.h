// SPDX-License-Identifier: Apache-2.0
/* Big tables take their address space once, at start, and the kernel gives memory page by page as
 * it is touched: a table of a million flows costs nothing until there are flows, and nothing is
 * ever allocated on the packet path. */
#pragma once

#include <stddef.h>

/* Reserves `size` bytes of zeroed address space (huge pages where the kernel has them).
 * Returns NULL when the system refuses. Freed by pages_release() with the same size. */
void *pages_reserve(size_t size);

/* The same, never of huge pages: for tables of which little is touched, here and there. */
void *pages_reserve_sparse(size_t size);

/* Gives the memory behind `size` bytes at `at` back; they read as zero afterwards.
 * `at` must be the start of a reservation or page-aligned within it. */
void pages_discard(void *at, size_t size);

/* Ends the reservation of `size` bytes but for the first `kept`; what is left is released as one of
 * `kept` bytes. */
void pages_trim(void *at, size_t size, size_t kept);

/* Makes a reservation of `size` bytes one of `wanted`, which may be elsewhere then, with what it holds;
 * nothing is copied. NULL when the system refuses: then it is as it was. */
void *pages_resize(void *at, size_t size, size_t wanted);

/* Ends a reservation; NULL is fine. */
void pages_release(void *at, size_t size);
