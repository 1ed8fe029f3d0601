// SPDX-License-Identifier: Apache-2.0
/* Private to cmd/: the manual page vantage(1), made from the commands' tables. */
#pragma once

#include <stdio.h>

/* Prints the page as man(7) source; the same bytes for the same version. */
void manual_print(FILE *out);
