/* SPDX-License-Identifier: Apache-2.0 */
/* What a firmware calls of the policy: tiers; with GOVERNED a governor, too, and with HARVEST one that
 * expects harvest. Linked for its size, never run. */
#include "dimmer_governor.h"

static dimmer_t network;

#if defined(GOVERNED)
static dimmer_governor_t governor;
#endif

#if defined(HARVEST)
/* As a generated model points to it. */
extern const dimmer_harvest_calls_t *const expected;
const dimmer_harvest_calls_t *const expected = &dimmer_harvest_calls;
#endif

int main(void) {
    const dimmer_battery_t now = {.time_s = 1};
    int result = (int)dimmer_report_battery(&network, &now);

#if defined(GOVERNED)
    result |= (int)dimmer_govern(&network, &governor) | (int)dimmer_next(&network);
    dimmer_govern_no_more(&network);
#endif
#if defined(HARVEST)
    result |= *(const dimmer_harvest_calls_t *const volatile *)&expected == NULL;
#endif
    return result;
}
