// SPDX-License-Identifier: Apache-2.0
/* Generic routing encapsulation and what is special to it: PPTP's version, NVGRE, WCCP redirects
 * and ERSPAN. Private to wire/; decoders as wire_walk.h says. */
#pragma once

#include "wire/wire_walk.h"

enum wire_step wire_gre(struct wire_walk *w);        /* RFC 2784, 2890, 1701, 2637, 7637 */
enum wire_step wire_gre_erspan(struct wire_walk *w); /* draft-foschiano-erspan-03 §4 */
