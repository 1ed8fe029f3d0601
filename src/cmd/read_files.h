// SPDX-License-Identifier: Apache-2.0
/* What the ways of `vantage read` have in common: reading captures to their end, with progress on a
 * terminal, and complaints. */
#pragma once

#include "engine/engine.h"

/* Reads all there is, or until the user has had enough. */
enum engine_status read_files_all(struct engine *engine, struct err *err);

/* Prints the lines of an error as what this command says. */
void read_files_complain(const struct err *err);
