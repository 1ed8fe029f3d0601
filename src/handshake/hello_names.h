// SPDX-License-Identifier: Apache-2.0
/* What the numbers of TLS handshakes are called: by IANA's registries where Packetbeat has no name of
 * its own. Constant tables; each function returns NULL for what has no name, and takes some steps of a
 * binary search at most. */
#pragma once

#include <stdint.h>

const char *hello_cipher_name(uint16_t cipher);
const char *hello_group_name(uint16_t group);
const char *hello_signature_name(uint16_t scheme);
const char *hello_extension_name(uint16_t extension);
const char *hello_alert_name(uint16_t alert);
const char *hello_point_format_name(uint16_t format);
const char *hello_compression_name(uint16_t method);
/* "TLS 1.3"; "SSL 3.0" */
const char *hello_version_name(uint16_t version);
/* "1.3"; "3.0" */
const char *hello_version_number(uint16_t version);
