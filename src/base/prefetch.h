// SPDX-License-Identifier: Apache-2.0
/* Asks for a line of memory before it is needed. The address may be any: none is read.
 *
 * The empty instruction behind each is for gcc: to it a function that does nothing but
 * __builtin_prefetch() is one without effect, and it leaves out the calls of those that it does not
 * put in place. Cost: one instruction. */
#pragma once

/* A line that will be read. */
static inline __attribute__((always_inline)) void prefetch_read(const void *at)
{
    __builtin_prefetch(at);
    __asm__ volatile("");
}

/* A line that will be written to. */
static inline __attribute__((always_inline)) void prefetch_write(const void *at)
{
    __builtin_prefetch(at, 1);
    __asm__ volatile("");
}
