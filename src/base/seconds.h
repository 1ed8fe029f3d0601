// SPDX-License-Identifier: Apache-2.0
/* Lengths of time in nanoseconds, which all times are in here (since 1970 where they are points). */
#pragma once

#include <stdint.h>

#define MS_NS UINT64_C(1000000)
#define SECOND_NS UINT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
