// SPDX-License-Identifier: Apache-2.0
/* Private to cmd/: what bash, zsh and fish need to complete our commands, options, choices, files
 * and interfaces, made from the commands' tables. */
#pragma once

#include <stdio.h>

/* The shells that there is a script for, NULL-terminated. */
extern const char *const completion_shells[];

/* Prints the script for one of completion_shells. */
void completion_print(const char *shell, FILE *out);
