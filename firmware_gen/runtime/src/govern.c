/* SPDX-License-Identifier: Apache-2.0 */
/* A governor that chooses for a dimmer_t. */
#include "choose.h"
#include "dimmer_assert.h"
#include "dimmer_tables.h"
#include "engine.h"
#include "shared_byte.h"
#include "smallest_code.h"

dimmer_status_t dimmer_govern(dimmer_t *d, dimmer_governor_t *g) {
    dimmer_status_t status;

    DIMMER_ASSERT(d != NULL);
    if (g == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    status = dimmer_whole(d);
    if (status != DIMMER_OK) {
        return status;
    }
    if (d->model->plan == NULL) {
        return DIMMER_ERR_PLAN;
    }
    dimmer_governor_start(g, d->model->plan);
    d->inferences_left = 0u;
    d->governor_report = dimmer_governor_report;
    d->governor = g;
    d->seal = dimmer_seal(d);
    return DIMMER_OK;
}

dimmer_status_t dimmer_set_plan(dimmer_t *d, const dimmer_plan_t *plan) {
    dimmer_governor_t *g;
    dimmer_status_t status;
    uint32_t i;

    DIMMER_ASSERT(d != NULL);
    status = dimmer_whole(d);
    g = d->governor;
    if (status != DIMMER_OK || g == NULL) {
        return status != DIMMER_OK ? status : DIMMER_ERR_INIT;
    }
    if (g->seal != dimmer_governor_seal(g)) {
        return DIMMER_ERR_STATE;
    }
    if (dimmer_plan_check(plan) != DIMMER_OK || plan->permille_units != g->plan->permille_units ||
        plan->unit_shift != g->plan->unit_shift) {
        return DIMMER_ERR_PLAN;
    }
    for (i = 0; i < plan->count; ++i) {
        const uint8_t mode = plan->points[i].mode;

        if (mode >= d->mode_count && (mode != DIMMER_MODE_GATED || d->model->gates == NULL)) {
            return DIMMER_ERR_MODE;
        }
    }
    g->plan = plan;
    g->seal = dimmer_governor_seal(g);
    dimmer_set_inference_budget(g, g->budget);
    return DIMMER_OK;
}

void dimmer_govern_no_more(dimmer_t *d) {
    uintptr_t damage;

    DIMMER_ASSERT(d != NULL);
    /* What is damaged stays so. */
    damage = d->seal ^ dimmer_seal(d);
    d->governor = NULL;
    d->seal = dimmer_seal(d) ^ damage;
}

dimmer_advice_t dimmer_next(dimmer_t *d) {
    dimmer_advice_t advice = DIMMER_RUN;

    DIMMER_ASSERT(d != NULL);
    if (d->governor != NULL) {
        const dimmer_point_t *point = NULL;

        if (d->seal != dimmer_seal(d)) {
            return DIMMER_STOP;
        }
        advice = dimmer_choose(d->governor, &point);
        if (advice == DIMMER_RUN) {
            DIMMER_STORE(d->gating.level, point->level);
            (void)dimmer_set_mode(d, point->mode);
        }
    }
    return advice;
}
