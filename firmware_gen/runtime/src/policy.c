/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_assert.h"
#include "reading.h"
#include "dimmer_small_code.h"

/* As signed numbers are compared. */
#define UNKNOWN ((int32_t)DIMMER_UNKNOWN)

static uint32_t at_most(uint32_t value, uint32_t most) {
    return value < most ? value : most;
}

/* The first tier from `tier` on that holds; the last one always does. */
static uint32_t tier_from(const dimmer_policy_t *policy, uint32_t tier, int32_t charge, int32_t millivolts) {
    const dimmer_tier_t *t = &policy->tiers[tier];

    for (; tier + 1u < policy->tier_count; ++tier, ++t) {
        if (charge == UNKNOWN ? t->min_millivolts != 0u && millivolts != UNKNOWN
                              : charge >= t->min_charge_permille) {
            if (millivolts >= t->min_millivolts) {
                break;
            }
        }
    }
    return tier;
}

void dimmer_policy_step(const dimmer_policy_t *policy, dimmer_policy_state_t *state,
                        const dimmer_battery_t *now) {
    const uint32_t passed = dimmer_elapsed(state->last_s, now->time_s);
    int32_t millivolts = now->millivolts != 0u ? now->millivolts : UNKNOWN;
    int32_t charge;
    uint32_t tier = policy->tier_count - 1u;
    uint32_t brighter;
    uint32_t candidate;

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
    tier = tier_from(policy, at_most(state->tier, tier), charge, millivolts);
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
    candidate = DIMMER_MAX_TIERS;
    /* Brighter only if every report of the dwell bears it out, so that noise does not count. */
    if (brighter < tier) {
        candidate = state->candidate;
        if (candidate == DIMMER_MAX_TIERS) {
            state->held_s = 0u;
            candidate = brighter;
        } else {
            state->held_s += passed;
        }
        if (candidate < brighter) {
            candidate = brighter;
        }
        if (state->held_s >= policy->dwell_s) {
            tier = at_most(candidate, policy->tier_count - 1u);
            candidate = DIMMER_MAX_TIERS;
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
