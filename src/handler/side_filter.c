// SPDX-License-Identifier: Apache-2.0
#include "handler/side_filter.h"

#include "wire/frame.h"

bool side_filter_read(const struct handler_options *options, struct side_filter *ret,
                      struct err *err)
{
    static const char *const names[SIDE_FILTER_SIDES] = {
        [FRAME_DIRECTION_UNKNOWN] = "unknown", [FRAME_DIRECTION_IN] = "in",
        [FRAME_DIRECTION_OUT] = "out"};
    struct handler_words words = handler_list(options, "only_directions");
    ret->passes = words.count == 0 ? UINT32_MAX : 0;
    for (size_t i = 0; i < words.count; i++) {
        unsigned k = 0;
        while (k < SIDE_FILTER_SIDES && strcmp(words.words[i], names[k]) != 0) {
            k++;
        }
        if (k == SIDE_FILTER_SIDES) {
            return err_set(err, ERR_USAGE, "%s: only_directions: %s is none of in, out, unknown",
                           options->title, words.written[i]);
        }
        ret->passes |= 1u << k;
    }
    return true;
}
