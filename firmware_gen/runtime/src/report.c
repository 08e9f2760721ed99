/* SPDX-License-Identifier: Apache-2.0 */
/* What a report of the battery changes: seldom called, so small. */
#include "dimmer_assert.h"
#include "engine.h"
#include "reading.h"
#include "shared_byte.h"
#include "dimmer_small_code.h"

/* Lifts a brown-out that is over. */
static void look_at_the_supply(dimmer_t *d, const dimmer_battery_t *now) {
    const uint8_t count = DIMMER_LOAD(d->brown_outs);

    d->calm_s += dimmer_elapsed(d->reported_s, now->time_s);
    if (count != d->brown_outs_seen) {
        d->brown_outs_seen = count;
        d->calm_s = 0u;
    }
    d->reported_s = now->time_s;
    if (d->calm_s >= DIMMER_BROWN_OUT_S || (now->flags & DIMMER_EXTERNAL_POWER) != 0u) {
        DIMMER_STORE(d->browned_out, 0u);
        /* An interrupt may have come in between. */
        if (DIMMER_LOAD(d->brown_outs) != count) {
            DIMMER_STORE(d->browned_out, 1u);
        }
    }
}

dimmer_status_t dimmer_report_battery(dimmer_t *d, const dimmer_battery_t *now) {
    const dimmer_policy_t *policy;
    const dimmer_tier_t *tier;
    dimmer_status_t status;

    DIMMER_ASSERT(d != NULL);
    if (now == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    status = dimmer_whole(d);
    if (status != DIMMER_OK) {
        return status;
    }
    look_at_the_supply(d, now);
    if (d->governor != NULL) {
        return d->governor_report(d->governor, now);
    }
    policy = d->policy;
    if (policy->tier_count == 0u || policy->tier_count > DIMMER_MAX_TIERS) {
        return DIMMER_ERR_POLICY;
    }
    dimmer_policy_step(policy, &d->policy_state, now);
    d->inferences_left = policy->stale_inferences != 0u ? policy->stale_inferences + 1u : 0u;
    tier = &policy->tiers[d->policy_state.tier];
    DIMMER_STORE(d->gating.level, tier->level);
    return dimmer_set_mode(d, tier->mode);
}
