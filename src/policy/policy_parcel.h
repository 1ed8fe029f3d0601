// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what becomes of a parcel that a worker has handed over (desk.h). The office's; the
 * set's lock is held. */
#pragma once

#include "policy/policy_set.h"

/* Adds a parcel to the stores of an instance and of all that it counts for. */
void policy_parcel_add(struct policy_instance *instance, const struct parcel *parcel);
/* Gives a parcel that was added back to its desk, for which it is empty; its memory goes back to the
 * system: it waits for a second, mostly. */
void policy_parcel_return(struct desk *desk, struct parcel *parcel);
/* Empties a parcel of this handler that is still at its desk. */
void policy_parcel_empty(const struct handler *handler, struct parcel *parcel);
