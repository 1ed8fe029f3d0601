// SPDX-License-Identifier: Apache-2.0
/* `vantage packetbeat export`: where what is exported goes. Cold path. */
#pragma once

#include "base/span.h"

/* Into FOLDER/KIND/NAME, whose folders are made; to standard output where `folder` is NULL. False, and said on
 * standard error, when it cannot be written. */
bool packetbeat_export_put(const char *folder, const char *kind, const char *name, struct span text);
