// SPDX-License-Identifier: Apache-2.0
#include "cmd/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Both sets are cut down to what they have of a few (capset(2), version 3: two words). */
static bool keep_only(uint64_t capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) {
        return false;
    }
    for (unsigned word = 0; word < 2; word++) {
        __u32 kept = (__u32)(capabilities >> 32 * word);
        data[word].effective &= kept;
        data[word].permitted &= kept;
        data[word].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0;
}

bool confine_self(bool sees_processes, struct err *err)
{
    uint64_t kept = UINT64_C(1) << CAP_NET_RAW;
    if (sees_processes) {
        kept |= UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_DAC_READ_SEARCH;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !keep_only(kept)) {
        return err_set(err, ERR_FAILED, "cannot give up privileges: %s", strerror(errno));
    }
    return true;
}
