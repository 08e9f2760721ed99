/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_assert.h"
#include "reading.h"
#include "dimmer_small_code.h"

static uint32_t at_most(uint32_t value, uint32_t most) {
    return value < most ? value : most;
}

/* The first tier from `tier` on that holds; the last one always does. */
static uint32_t tier_from(const dimmer_policy_t *policy, uint32_t tier, uint32_t charge, uint32_t millivolts,
                          uint32_t more_charge, uint32_t more_millivolts) {
    /* A full cell reaches every tier, however near to its end of a scale the threshold lies. */
    const uint32_t full = policy->full_millivolts != 0u ? policy->full_millivolts : UINT16_MAX;

    for (; tier + 1u < policy->tier_count; ++tier) {
        const dimmer_tier_t *t = &policy->tiers[tier];

        if ((charge == DIMMER_UNKNOWN ? t->min_millivolts != 0u && millivolts != DIMMER_UNKNOWN
                                      : charge >= at_most(t->min_charge_permille + more_charge, 1000u)) &&
            millivolts >= at_most(t->min_millivolts + more_millivolts, full)) {
            break;
        }
    }
    return tier;
}

void dimmer_policy_step(const dimmer_policy_t *policy, dimmer_policy_state_t *state,
                        const dimmer_battery_t *now) {
    const uint32_t millivolts = now->millivolts != 0u ? now->millivolts : DIMMER_UNKNOWN;
    const uint32_t passed = dimmer_elapsed(state->last_s, now->time_s);
    uint32_t charge;
    uint32_t tier;
    uint32_t brighter;

    DIMMER_ASSERT(policy->tier_count >= 1u && policy->tier_count <= DIMMER_MAX_TIERS);
    if (!state->started) {
        state->started = 1u;
        state->charge.permille = DIMMER_UNKNOWN;
        state->candidate = DIMMER_MAX_TIERS;
    }
    state->last_s = now->time_s;
    (void)dimmer_read_charge(&state->charge, now->charge_permille, passed);
    if (policy->stale_s != 0u && state->charge.silent_s >= policy->stale_s) {
        state->charge.permille = DIMMER_UNKNOWN;
    }
    charge = state->charge.permille;
    tier = tier_from(policy, at_most(state->tier, policy->tier_count - 1u), charge, millivolts, 0u, 0u);
    brighter = tier_from(policy, 0u, charge, millivolts, policy->hysteresis_permille,
                         charge != 1000u ? policy->hysteresis_millivolts : 0u);
    if ((now->flags & DIMMER_EXTERNAL_POWER) != 0u) {
        tier = 0u;
    }
    /* Brighter only if every report of the dwell bears it out, so that noise does not count. */
    if (brighter >= tier) {
        state->candidate = DIMMER_MAX_TIERS;
    } else {
        if (state->candidate == DIMMER_MAX_TIERS) {
            state->held_s = 0u;
            state->candidate = (uint8_t)brighter;
        } else {
            state->held_s += passed;
        }
        if (state->candidate < brighter) {
            state->candidate = (uint8_t)brighter;
        }
        if (state->held_s >= policy->dwell_s) {
            tier = at_most(state->candidate, policy->tier_count - 1u);
            state->candidate = DIMMER_MAX_TIERS;
        }
    }
    state->tier = (uint8_t)tier;
}

dimmer_policy_state_t dimmer_policy_next(const dimmer_policy_t *policy, dimmer_policy_state_t last,
                                         const dimmer_battery_t *now) {
    dimmer_policy_step(policy, &last, now);
    return last;
}
