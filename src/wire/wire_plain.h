// SPDX-License-Identifier: Apache-2.0
/* The straight line through what most frames are: Ethernet, IP without options or extension
 * headers, TCP or UDP, captured whole. It knows nothing that the walk over headers (wire_walk.h)
 * does not know too, and gives the same packet; it only asks all the questions at once. */
#pragma once

#include "wire/packet.h"

/* Decodes a frame that is as plain as that into `p`, whose other fields are already set. Returns
 * false, with `p` untouched, for any other frame and for one that a walk must judge. */
bool wire_plain(const struct frame *frame, struct packet *p);
