/* SPDX-License-Identifier: Apache-2.0 */
/* What a firmware calls of the policy: tiers; with GOVERNED a governor, too. Linked for its size, never run.
 */
#include "dimmer_governor.h"

static dimmer_t network;

#if defined(GOVERNED)
static dimmer_governor_t governor;
#endif

int main(void) {
    const dimmer_battery_t now = {.time_s = 1};
    int result = (int)dimmer_report_battery(&network, &now);

#if defined(GOVERNED)
    result |= (int)dimmer_govern(&network, &governor) | (int)dimmer_next(&network);
    dimmer_govern_no_more(&network);
#endif
    return result;
}
