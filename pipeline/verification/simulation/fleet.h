/* SPDX-License-Identifier: Apache-2.0 */
/* What dimmer.pipeline.verification.simulation.fleet calls. */
#ifndef DIMMER_FLEET_H
#define DIMMER_FLEET_H

#include "dimmer_governor.h"

/* Of a device's counts between two reports: inferences that were left out, that the reserve ended, and that
 * ran at each point of the plan. */
enum { FLEET_LEFT_OUT = 0, FLEET_STOPPED = 1, FLEET_POINTS = 2, FLEET_COUNTS = 2 + 8 };

/* Adds to counts[FLEET_COUNTS] what `wanted` choices in a row are; `each`: whether to step through them. */
void fleet_choose(dimmer_governor_t *g, uint32_t wanted, int each, uint32_t *counts);

/* Begins governors[devices]; the plan must outlive them. */
void fleet_start(dimmer_governor_t *governors, size_t devices, const dimmer_plan_t *plan);

/* One report of each device, and the inferences after it: counts[devices][FLEET_COUNTS]. */
void fleet_govern(dimmer_governor_t *governors, size_t devices, const dimmer_battery_t *reports,
                  const uint32_t *wanted, int each, uint32_t *counts);

/* One report of each device to a policy of tiers. */
void fleet_tiers(const dimmer_policy_t *policy, dimmer_policy_state_t *states, size_t devices,
                 const dimmer_battery_t *reports, uint8_t *tiers);

/* Returns the bytes of one governor. */
size_t fleet_governor_size(void);

#endif
