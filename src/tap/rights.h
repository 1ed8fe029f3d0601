// SPDX-License-Identifier: Apache-2.0
/* What to tell a user who may not capture: what is missing, who he is to the kernel, and the ways
 * out, with the ways named that cannot work here. Reads /proc only; any thread. */
#pragma once

#include "base/err.h"

/* Whether a packet socket can be opened here. */
bool rights_may_capture(void);

/* Fills err with ERR_PERMISSION and several lines about `interface`; returns false. */
bool rights_explain(const char *interface, struct err *err);
