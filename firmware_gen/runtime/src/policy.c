/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer.h"

#include "dimmer_assert.h"

static int tier_holds(const dimmer_policy_t *policy, uint32_t tier, uint32_t more_permille,
                      uint32_t more_millivolts, const dimmer_battery_t *now) {
    const dimmer_tier_t *t = &policy->tiers[tier];
    uint32_t charge = t->min_charge_permille + more_permille;

    /* A full battery reaches every tier, however near to 1000 its threshold lies. */
    if (charge > 1000u) {
        charge = 1000u;
    }
    return now->charge_permille >= charge && now->millivolts >= t->min_millivolts + more_millivolts;
}

dimmer_policy_state_t dimmer_policy_next(const dimmer_policy_t *policy, dimmer_policy_state_t last,
                                         const dimmer_battery_t *now) {
    const uint32_t lowest = policy->tier_count - 1u;
    dimmer_policy_state_t next = last;
    uint32_t tier = last.started ? last.tier : 0u;

    DIMMER_ASSERT(policy->tier_count >= 1u && policy->tier_count <= DIMMER_MAX_TIERS);
    if (tier > lowest) {
        tier = lowest;
    }
    while (tier < lowest && !tier_holds(policy, tier, 0u, 0u, now)) {
        ++tier;
    }
    /* Unsigned, so that a clock that wraps is no special case. */
    if (last.started && tier == last.tier && now->time_s - last.changed_s >= policy->dwell_s) {
        uint32_t brighter = 0u;

        while (brighter < tier && !tier_holds(policy, brighter, policy->hysteresis_permille,
                                              policy->hysteresis_millivolts, now)) {
            ++brighter;
        }
        tier = brighter;
    }
    if (!last.started || tier != last.tier) {
        next.changed_s = now->time_s;
    }
    next.tier = (uint8_t)tier;
    next.started = 1u;
    return next;
}
