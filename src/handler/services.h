// SPDX-License-Identifier: Apache-2.0
/* What ports are called, by a file in the format of IANA's registry of service names
 * (service-names-port-numbers.csv: name, number or range, protocol, ...). Constant once read; any
 * thread; a look-up is a load. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct services; /* opaque */

/* Reads a registry; NULL and err when it cannot be read. */
struct services *services_open(const char *path, struct err *err);
/* The same from text. */
struct services *services_read(struct span text);
/* NULL is fine. */
void services_close(struct services *services);

/* The name of a port of TCP (6) or UDP (17); NULL: it has none. */
const char *services_name(const struct services *services, uint8_t protocol, uint16_t port);
