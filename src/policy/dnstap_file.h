// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: the input of a file of dnstap in a running agent. It is read once, as fast as what
 * is counted is taken away; the minutes are those that its messages tell. */
#pragma once

#include "policy/intake_source.h"

extern const struct intake_source dnstap_file;
