// SPDX-License-Identifier: Apache-2.0
#include "policy/intake_thread.h"

struct intake_thread {
    uint32_t slot;
};

bool intake_thread_start(struct policies *set, struct policy_input *input, struct err *err)
{
    (void)set;
    (void)input;
    (void)err;
    return true;
}

void intake_thread_stop(struct intake_thread *thread)
{
    (void)thread;
}

uint32_t intake_thread_slot(const struct intake_thread *thread)
{
    return thread->slot;
}
