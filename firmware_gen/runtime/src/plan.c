/* SPDX-License-Identifier: Apache-2.0 */
/* What an application may set and ask of a governor. */
#include "dimmer_assert.h"
#include "governor.h"
#include "dimmer_small_code.h"

dimmer_status_t dimmer_plan_check(const dimmer_plan_t *plan) {
    uint32_t last = 0u;
    uint32_t i;

    if (plan == NULL || plan->count == 0u || plan->count > DIMMER_MAX_POINTS || plan->permille_units == 0u ||
        plan->unit_shift > DIMMER_MAX_UNIT_SHIFT || plan->sleep_q8 > DIMMER_MAX_SLEEP_Q8 ||
        plan->reserve_permille >= 1000u || plan->wanted_q8 == 0u || plan->low_q6 >= 64u ||
        plan->report_s == 0u || (plan->life_s == 0u && plan->harvest_q8 == 0u)) {
        return DIMMER_ERR_PLAN;
    }
    for (i = 0; i < plan->count; ++i) {
        if (plan->points[i].cost <= last) {
            return DIMMER_ERR_PLAN;
        }
        last = plan->points[i].cost;
    }
    return DIMMER_OK;
}

dimmer_status_t dimmer_governor_last(dimmer_governor_t *g, uint32_t seconds) {
    DIMMER_ASSERT(g != NULL);
    if (seconds == 0u && g->plan->harvest_q8 == 0u) {
        return DIMMER_ERR_PLAN;
    }
    g->rest_s = seconds;
    g->life_s = seconds;
    g->own_deadline = seconds != 0u;
    return DIMMER_OK;
}

dimmer_status_t dimmer_governor_set_charge(dimmer_governor_t *g, uint16_t permille) {
    DIMMER_ASSERT(g != NULL);
    if (permille > 1000u) {
        return DIMMER_ERR_ARGUMENT;
    }
    g->left = (uint32_t)g->plan->permille_units * permille;
    return DIMMER_OK;
}

uint16_t dimmer_governor_charge(const dimmer_governor_t *g) {
    DIMMER_ASSERT(g != NULL);
    return (uint16_t)(g->left / g->plan->permille_units);
}

uint16_t dimmer_governor_share(const dimmer_governor_t *g) {
    uint32_t cheapest;

    DIMMER_ASSERT(g != NULL);
    if (g->stopped) {
        return 0u;
    }
    cheapest = g->plan->points[0].cost;
    return (uint16_t)(g->budget < cheapest ? g->budget * 1000u / cheapest : 1000u);
}

uint32_t dimmer_governor_life_s(const dimmer_governor_t *g) {
    const dimmer_plan_t *plan;
    uint32_t usable;
    uint32_t power;

    DIMMER_ASSERT(g != NULL);
    plan = g->plan;
    usable = dimmer_less(g->left, (uint32_t)plan->reserve_permille * plan->permille_units);
    power = dimmer_share_of(g->budget, g->wanted_q8, g->span_s);
    if (power < INT32_MAX) {
        power += plan->sleep_q8;
    }
    return power != 0u ? dimmer_power_over(g, usable, power) : UINT32_MAX;
}
