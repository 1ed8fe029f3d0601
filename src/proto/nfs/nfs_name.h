// SPDX-License-Identifier: Apache-2.0
/* How operations and statuses of NFS are called. All are NULL for numbers that have no name. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A procedure of version 3 (RFC 1813 §3.3). */
const char *nfs_operation3(uint32_t number);
/* An operation within COMPOUND of version 4.0 to 4.2 (RFC 7530, 8881, 7862, 8276). */
const char *nfs_operation4(uint32_t number);
/* nfsstat3 or nfsstat4. */
const char *nfs_status_name(uint32_t number);
