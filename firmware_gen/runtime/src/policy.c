/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_assert.h"
#include "reading.h"
#include "smallest_code.h"

/* As signed numbers are compared. */
#define UNKNOWN ((int32_t)DIMMER_UNKNOWN)

/* The first tier from `tier` on that holds; the last one always does. */
DIMMER_APART static uint32_t tier_from(const dimmer_policy_t *policy, uint32_t tier, int32_t charge,
                                       int32_t millivolts) {
    const uint32_t last = policy->tier_count - 1u;

    for (; tier < last; ++tier) {
        const dimmer_tier_t *t = &policy->tiers[tier];

        if (charge >= t->min_charge_permille && millivolts >= t->min_millivolts &&
            (charge != UNKNOWN || t->min_millivolts != 0u)) {
            return tier;
        }
    }
    return last;
}

void dimmer_policy_step(const dimmer_policy_t *policy, dimmer_policy_state_t *state,
                        const dimmer_battery_t *now) {
    int32_t millivolts = now->millivolts != 0u ? now->millivolts : UNKNOWN;
    int32_t charge;
    uint32_t tier;
    uint32_t brighter;
    uint32_t candidate = 0u;

    DIMMER_ASSERT(policy->tier_count >= 1u && policy->tier_count <= DIMMER_MAX_TIERS);
    (void)dimmer_hear(&state->charge, now);
    if (policy->stale_s != 0u && state->charge.silent_s >= policy->stale_s) {
        state->charge.believed = 0u;
    }
    charge = (int32_t)state->charge.believed - 1;
    /* The voltage alone decides, unless that is not known either. */
    if (charge < 0 && millivolts != UNKNOWN) {
        charge = UNKNOWN;
    }
    tier = tier_from(policy, state->tier, charge, millivolts);
    /* A full cell reaches every tier, however near to its end of a scale the threshold lies. */
    if (charge != 1000) {
        if (millivolts < (policy->full_millivolts != 0u ? policy->full_millivolts : UNKNOWN)) {
            millivolts -= policy->hysteresis_millivolts;
        }
        if (charge != UNKNOWN) {
            charge -= policy->hysteresis_permille;
        }
    }
    brighter = tier_from(policy, 0u, charge, millivolts);
    if ((now->flags & DIMMER_EXTERNAL_POWER) != 0u) {
        tier = 0u;
    }
    /* Brighter only if every report of the dwell bears it out, so that noise does not count. */
    if (brighter < tier) {
        candidate = state->candidate;
        state->held_s = candidate != 0u ? state->held_s + state->charge.passed_s : 0u;
        if (candidate <= brighter) {
            candidate = brighter + 1u;
        }
        if (candidate > tier) {
            candidate = tier;
        }
        if (state->held_s >= policy->dwell_s) {
            tier = candidate - 1u;
            candidate = 0u;
        }
    }
    state->candidate = (uint8_t)candidate;
    state->tier = (uint8_t)tier;
}

dimmer_policy_state_t dimmer_policy_next(const dimmer_policy_t *policy, dimmer_policy_state_t last,
                                         const dimmer_battery_t *now) {
    dimmer_policy_step(policy, &last, now);
    return last;
}
