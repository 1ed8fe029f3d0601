// SPDX-License-Identifier: Apache-2.0
/* Variables of the environment in values of a configuration: ${NAME} and ${NAME:default}; $${ stands
 * for ${ itself. A value never becomes structure: it is put into a text that was read already. Cold
 * path. */
#pragma once

#include "base/err.h"

/* The text with its variables put in, to be freed. NULL and err, which names the remedy, when one is
 * not set and has no default, or is not closed. */
char *config_variables_expand(const char *text, struct err *err);
