// SPDX-License-Identifier: Apache-2.0
/* What the numbers of DNS are called (IANA "Domain Name System Parameters"), as Packetbeat writes them.
 * Static text, NULL for what has no name. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum { DNS_WORD_ROOM = 16 };

const char *dns_type_name(unsigned type);
/* Of DNSSEC: algorithms of keys and signatures, hashes of keys and names. */
const char *dns_algorithm_name(unsigned algorithm);
const char *dns_hash_name(unsigned hash);
/* Why a response is what it is (RFC 8914), in a few words. */
const char *dns_extended_error_name(unsigned code);
/* A key of SVCB (RFC 9460). */
const char *dns_service_key_name(unsigned key);

/* The same for what every event has, or the number in decimal, written to `room`; of a response code behind
 * "Unknown ". DNS_WORD_ROOM bytes may be read from there on. */
struct span dns_type_word(unsigned type, char room[DNS_WORD_ROOM]);
struct span dns_class_word(unsigned class, char room[DNS_WORD_ROOM]);
struct span dns_opcode_word(unsigned opcode, char room[DNS_WORD_ROOM]);
struct span dns_rcode_word(unsigned rcode, char room[DNS_WORD_ROOM]);

/* The name, or the number in decimal behind `prefix`, which is written to `room`. */
struct span dns_word(const char *name, const char *prefix, unsigned number,
                     char room[DNS_WORD_ROOM]);
