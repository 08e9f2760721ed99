/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "engine.h"
#include "dimmer_small_code.h"

dimmer_status_t dimmer_policy_check(const dimmer_policy_t *policy) {
    uint32_t i;

    if (policy == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if (policy->tier_count == 0u || policy->tier_count > DIMMER_MAX_TIERS) {
        return DIMMER_ERR_POLICY;
    }
    for (i = 0; i < policy->tier_count; ++i) {
        const dimmer_tier_t *t = &policy->tiers[i];

        if (t->min_charge_permille > 1000u ||
            (policy->full_millivolts != 0u && t->min_millivolts > policy->full_millivolts) ||
            (i != 0u && (t->min_charge_permille > t[-1].min_charge_permille ||
                         t->min_millivolts > t[-1].min_millivolts))) {
            return DIMMER_ERR_POLICY;
        }
    }
    return DIMMER_OK;
}

dimmer_status_t dimmer_set_policy(dimmer_t *d, const dimmer_policy_t *policy) {
    dimmer_status_t status;

    DIMMER_ASSERT(d != NULL);
    status = dimmer_whole(d);
    if (status != DIMMER_OK) {
        return status;
    }
    if (policy == NULL) {
        policy = &d->model->policy;
    } else {
        status = dimmer_policy_check(policy);
        if (status != DIMMER_OK) {
            return status;
        }
        if (!dimmer_has_modes(d->model, policy)) {
            return DIMMER_ERR_MODE;
        }
    }
    d->policy = policy;
    d->safe_mode = policy->safe_mode;
    d->seal = dimmer_seal(d);
    d->inferences_left = 0u;
    memset(&d->policy_state, 0, sizeof d->policy_state);
    return DIMMER_OK;
}
