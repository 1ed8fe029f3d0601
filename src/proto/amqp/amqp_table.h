// SPDX-License-Identifier: Apache-2.0
/* Field tables of AMQP (§4.2.5.5, with RabbitMQ's errata of the types) as JSON. */
#pragma once

#include "base/cursor.h"
#include "base/writer.h"

/* Writes a table, its length first, as a JSON object; arrays become lists. False when it cannot be
 * read, or does not fit: what was written is of no use then, but the cursor stands behind it if its
 * length could be read. */
bool amqp_table_write(struct writer *to, struct cursor *from);
