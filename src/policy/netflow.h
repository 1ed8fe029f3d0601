// SPDX-License-Identifier: Apache-2.0
/* NetFlow 1, 5, 7 (Cisco's formats of fixed records), 9 (RFC 3954) and IPFIX (RFC 7011): flow records
 * out of datagrams. Records of templates that are not known are skipped and counted; a datagram that
 * lies about its lengths is read as far as it is sound. Work is bounded by the datagram's size. */
#pragma once

#include "policy/export_datagram.h"
#include "policy/netflow_template.h"

/* Reads a datagram and gives its records to the reader's sink. False when it was malformed, or a part
 * of it could not be read for lack of a template. */
bool netflow_read(struct netflow_templates *templates, const struct export_datagram *datagram,
                  const struct export_sink *sink);
