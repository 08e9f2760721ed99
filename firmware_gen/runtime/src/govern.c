/* SPDX-License-Identifier: Apache-2.0 */
/* A governor that chooses for a dimmer_t. */
#include "dimmer_assert.h"
#include "dimmer_tables.h"
#include "governor.h"
#include "shared_byte.h"
#include "small_code.h"

dimmer_status_t dimmer_govern(dimmer_t *d, dimmer_governor_t *g) {
    static const dimmer_governor_calls_t calls = {dimmer_governor_report};

    DIMMER_ASSERT(d != NULL);
    if (g == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if (d->model == NULL) {
        return DIMMER_ERR_INIT;
    }
    if (d->model->plan == NULL) {
        return DIMMER_ERR_PLAN;
    }
    dimmer_governor_start(g, d->model->plan, d->model->harvest);
    d->inferences_left = 0u;
    d->governor_calls = &calls;
    d->governor = g;
    return DIMMER_OK;
}

dimmer_status_t dimmer_set_plan(dimmer_t *d, const dimmer_plan_t *plan) {
    dimmer_governor_t *g = d->governor;
    uint32_t i;

    DIMMER_ASSERT(d != NULL);
    if (d->model == NULL || g == NULL) {
        return DIMMER_ERR_INIT;
    }
    if (dimmer_plan_check(plan) != DIMMER_OK || plan->permille_units != g->plan->permille_units ||
        plan->unit_shift != g->plan->unit_shift || (plan->harvest_q8 != 0u) != (g->harvest != NULL)) {
        return DIMMER_ERR_PLAN;
    }
    for (i = 0; i < plan->count; ++i) {
        const uint8_t mode = plan->points[i].mode;

        if (mode >= d->mode_count && (mode != DIMMER_MODE_GATED || d->model->gates == NULL)) {
            return DIMMER_ERR_MODE;
        }
    }
    g->plan = plan;
    dimmer_set_inference_budget(g, g->budget);
    return DIMMER_OK;
}

void dimmer_govern_no_more(dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    d->governor = NULL;
}

dimmer_advice_t dimmer_next(dimmer_t *d) {
    dimmer_advice_t advice = DIMMER_RUN;

    DIMMER_ASSERT(d != NULL);
    if (d->governor != NULL) {
        const dimmer_point_t *point = NULL;

        advice = dimmer_governor_choose(d->governor, &point);
        if (advice == DIMMER_RUN) {
            DIMMER_STORE(d->gating.level, point->level);
            (void)dimmer_set_mode(d, point->mode);
        }
    }
    return advice;
}
