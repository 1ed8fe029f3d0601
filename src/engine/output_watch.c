// SPDX-License-Identifier: Apache-2.0
#include "engine/output_watch.h"

#include "base/log.h"

void output_watch_look(struct output_watch *watch, const char *kind, const struct sink_status *status,
                       int64_t now)
{
    bool loses = status->lost > watch->lost;
    bool is_due = !watch->is_losing || now - watch->told_at >= OUTPUT_WATCH_SECONDS;
    watch->lost = status->lost;
    if (loses && is_due) {
        log_warning("output %s: %llu events are lost so far, %llu wait for it", kind,
                    (unsigned long long)status->lost, (unsigned long long)status->waiting);
        watch->is_losing = true;
        watch->told_at = now;
    } else if (watch->is_losing && !loses && status->waiting == 0 && status->last_error[0] == '\0') {
        log_warning("output %s: it delivers again; %llu events were lost", kind,
                    (unsigned long long)status->lost);
        watch->is_losing = false;
    }
}
