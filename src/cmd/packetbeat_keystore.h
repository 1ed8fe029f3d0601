// SPDX-License-Identifier: Apache-2.0
/* `vantage packetbeat keystore`: create, add, list, remove. Secrets are asked for on the terminal without
 * showing them, or read from standard input. */
#pragma once

#include "cmd/command.h"

int packetbeat_keystore_create(const struct arguments *arguments);
int packetbeat_keystore_add(const struct arguments *arguments);
int packetbeat_keystore_list(const struct arguments *arguments);
int packetbeat_keystore_remove(const struct arguments *arguments);
