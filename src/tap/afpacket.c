// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include "tap/tap.h"
static struct tap *afpacket_open(const struct tap_options *options, struct err *err)
{
    err_set(err, ERR_FAILED, "%s: live capture is not built in", options->sources[0]);
    return NULL;
}
static enum tap_status afpacket_next(struct tap *tap, struct tap_batch *batch, struct err *err)
{
    batch->count = 0;
    return TAP_END;
}
static void afpacket_stats(struct tap *tap, struct tap_stats *ret)
{
    *ret = (struct tap_stats){0};
}
static void afpacket_close(struct tap *tap)
{
}
const struct tap_kind tap_afpacket = {
    .name = "afpacket", .help = "live interfaces", .is_live = true, .open = afpacket_open,
    .next = afpacket_next, .stats = afpacket_stats, .close = afpacket_close,
};
