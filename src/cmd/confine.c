// SPDX-License-Identifier: Apache-2.0
#include "cmd/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Both sets are cut down to what they have of CAP_NET_RAW (capset(2), version 3: two words). */
static bool keep_net_raw(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) {
        return false;
    }
    for (unsigned word = 0; word < 2; word++) {
        __u32 kept = word == CAP_TO_INDEX(CAP_NET_RAW) ? 1U << (CAP_NET_RAW % 32) : 0U;
        data[word].effective &= kept;
        data[word].permitted &= kept;
        data[word].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0;
}

bool confine_self(struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !keep_net_raw()) {
        return err_set(err, ERR_FAILED, "cannot give up privileges: %s", strerror(errno));
    }
    return true;
}
