// SPDX-License-Identifier: Apache-2.0
/* Between link and network: MPLS label stacks with what they carry, PPPoE and PPP. Private to
 * wire/; decoders as wire_walk.h says. */
#pragma once

#include "wire/wire_walk.h"

/* The most labels that one stack may have. */
enum { WIRE_LABELS_MAX = 16 };

enum wire_step wire_label_mpls(struct wire_walk *w);     /* RFC 3032 §2.1, RFC 4928 §3 */
enum wire_step wire_label_mpls_udp(struct wire_walk *w); /* RFC 7510 §3 */
enum wire_step wire_label_pppoe(struct wire_walk *w);    /* RFC 2516 §4 */
enum wire_step wire_label_ppp(struct wire_walk *w);      /* RFC 1661 §2, RFC 1662 §3.1 */
enum wire_step wire_label_ppp_hdlc(struct wire_walk *w); /* LINKTYPE_PPP_HDLC */
