// SPDX-License-Identifier: Apache-2.0
/* The agent reads what strangers send, so it gives up what it does not need before it begins: no new
 * privileges by execve(2), and of root's capabilities only CAP_NET_RAW (an interface that went away is
 * opened again when it returns) and, to see whose sockets there are, CAP_SYS_PTRACE and
 * CAP_DAC_READ_SEARCH. */
#pragma once

#include "base/err.h"

/* For the calling thread and all threads that it starts from then on. */
bool confine_self(bool sees_processes, struct err *err);
