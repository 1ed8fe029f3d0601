// SPDX-License-Identifier: Apache-2.0
/* Cookies as an object: what Cookie and Set-Cookie say (RFC 6265) by name. Pure. */
#pragma once

#include "event/event.h"
#include "hypertext/http_text.h"

enum { HTTP_COOKIES_MAX = 64 }; /* those beyond are left out */

/* Makes the value of a header cookie or set-cookie an object of texts, names in lower case, the last of
 * equal names; other headers stay, and so does one for which there is no room. */
void http_cookie_split(struct event_pair *header, struct http_text *to);
