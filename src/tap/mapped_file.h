// SPDX-License-Identifier: Apache-2.0
/* The bytes of a plain file where the kernel has them already: its page cache, mapped a window at a
 * time. Nothing is copied, and pages are brought in many at once, so that hardly one is faulted in.
 *
 * A mapped file that others write changes under its reader, and one that they cut short ends him
 * (SIGBUS). So a file is only mapped under a lease (fcntl(2), F_SETLEASE), which is not to be had
 * while anybody has it open for writing. Who wants to open it so, or to truncate it, is held up by
 * the kernel until a thread of ours has put a copy in the place of the window, at the same
 * addresses, and let the lease go: well under a millisecond, whatever the reader is at. From then
 * on the file is to be read as ever.
 *
 * The net below that: a page that is gone all the same when it is looked at (the kernel waits 45
 * seconds for a process that is stopped, then lets the writer through; or the disk has failed) ends
 * nobody. A handler of SIGBUS puts zeros there, and the map is lost, which the reader must tell.
 * A handler knows one map, so one file a process is mapped at a time.
 *
 * Memory: the window, at most 2.6 MiB that the kernel counts as ours though it has them anyway, and
 * the thread. One thread. */
#pragma once

#include "base/span.h"

enum {
    MAPPED_FILE_HAVE = 512 << 10, /* the longest that is asked for once more, with more behind it */
    MAPPED_FILE_AHEAD = 64 << 10, /* bytes lent at once, and mapped behind them: for prefetching */
};

struct mapped_file;

/* Maps the regular file that `fd` has open for reading; it stays the caller's and must outlive
 * this. The lease is one of its open file description, which nobody else should hold. NULL where
 * the file cannot be had so (somebody writes it, it is another user's, a file system that is not
 * this kernel's alone, an older kernel than Linux 5.14; another one is mapped): read it. SIGBUS is
 * handled here until it is closed. */
struct mapped_file *mapped_file_open(int fd);

/* NULL is fine. What was borrowed is gone. */
void mapped_file_close(struct mapped_file *map);

/* The next bytes from offset `at` on, some tens of KiB: more than `have` of them, at most
 * MAPPED_FILE_HAVE, which were too few. They are borrowed until the next call. No bytes: the file
 * ends there, is wanted by a writer or cannot be read; read(2) has what there is, or says why not.
 */
struct span mapped_file_bytes(struct mapped_file *map, uint64_t at, size_t have);

/* Whether some of what was lent was not the file's any more, but zeros. There are no more bytes. */
bool mapped_file_is_lost(const struct mapped_file *map);
