/* SPDX-License-Identifier: Apache-2.0 */
#include "governor.h"

#include <string.h>

#include "choose.h"
#include "dimmer_assert.h"
#include "reading.h"
#include "smallest_code.h"

#define DAY_S 86400u

/* Rates are learnt over a day at least, so that nights and days weigh as they do. */
#define LONGEST_SPAN_S 131072u

/* Reports are missed after so many inferences, and eight times those between two reports. */
#define FEWEST_BETWEEN 64u

/* Most that is granted from one report to the next: with the sleep of a week it fits 32 bits. */
#define MOST_GRANTED 0x7effffffu

void dimmer_set_inference_budget(dimmer_governor_t *g, uint32_t budget) {
    const dimmer_point_t *points = g->plan->points;
    const uint32_t most = points[g->plan->count - 1u].cost;
    uint32_t neighbour = 0u;
    uint32_t base = 0u;

    if (budget > most) {
        budget = most;
    }
    while (budget > points[neighbour].cost) {
        base = points[neighbour].cost;
        ++neighbour;
    }
    g->neighbour = (uint8_t)neighbour;
    g->budget = budget;
    g->extra = budget - base;
    g->step = points[neighbour].cost - base;
}

void dimmer_governor_start(dimmer_governor_t *g, const dimmer_plan_t *plan,
                           const dimmer_harvest_calls_t *harvest) {
    DIMMER_ASSERT(g != NULL && dimmer_plan_check(plan) == DIMMER_OK);
    DIMMER_ASSERT((harvest != NULL) == (plan->harvest_q8 != 0u));
    memset(g, 0, sizeof *g);
    g->plan = plan;
    g->harvest = harvest;
    g->seal = dimmer_governor_seal(g);
    g->rest_s = plan->life_s;
    g->life_s = plan->life_s;
    g->full = (uint32_t)plan->permille_units * 1000u;
    g->left = g->full;
    g->granted = MOST_GRANTED;
    g->credit = MOST_GRANTED;
    g->span_s = plan->report_s;
    g->wanted_q8 = dimmer_share_of(plan->report_s, 256000u, plan->period_ms);
    g->missed = FEWEST_BETWEEN + (g->wanted_q8 >> 5);
    dimmer_set_inference_budget(g, plan->points[0].cost);
}

/* How often inferences are wanted. */
static void learn_rate(dimmer_governor_t *g, uint32_t passed) {
    uint32_t wanted_q8 = g->wanted_q8 + (g->inferences << 8);
    uint32_t span_s = g->span_s + passed;

    g->missed += FEWEST_BETWEEN / 8u + g->inferences - (g->missed >> 3);
    if (span_s > LONGEST_SPAN_S || wanted_q8 > INT32_MAX) {
        span_s >>= 1;
        wanted_q8 >>= 1;
    }
    g->span_s = span_s;
    g->wanted_q8 = wanted_q8;
}

/* Counts what was spent, in whole units: one counts as soon as it is begun. */
static void take_spent(dimmer_governor_t *g, uint32_t passed) {
    const uint32_t shift = g->plan->unit_shift;
    const uint32_t sleep_q8 = g->plan->sleep_q8;
    /* A week of the most: 2^20 * 2^12. */
    const uint32_t asleep = passed * (sleep_q8 >> 8) + ((passed * (sleep_q8 & 255u) + 255u) >> 8);
    const uint32_t quanta = asleep + (g->granted - g->credit) - g->begun;
    const uint32_t units = (quanta + (1u << shift) - 1u) >> shift;

    g->begun = (units << shift) - quanta;
    g->left = dimmer_less(g->left, units);
    g->unmoved += units;
    g->rest_s = dimmer_less(g->rest_s, passed);
}

/* Draws the own count towards the gauge. */
static void fuse(dimmer_governor_t *g, uint32_t reading, int moved, int first) {
    int32_t apart = (int32_t)(reading * g->plan->permille_units - g->left);

    if (moved || g->harvest != NULL) {
        g->unmoved = 0u;
    }
    /* One that has not moved while this much was spent is stuck. */
    if (g->unmoved <= g->full / 16u) {
        g->left += (uint32_t)(first ? apart : apart >> 3);
    }
}

static void spend_anew(dimmer_governor_t *g, uint32_t temperature_dk) {
    const dimmer_plan_t *plan = g->plan;
    const uint32_t stopped = g->stopped;
    uint32_t usable = UINT32_MAX;
    uint32_t granted = MOST_GRANTED;
    uint32_t budget;

    g->stopped = 0u;
    if (g->supply != DIMMER_POWERED) {
        uint32_t reserve = plan->reserve_permille;
        /* Of a temperature that is not known nothing is left. */
        const int32_t cold = 2830 - (int32_t)(uint16_t)(temperature_dk - 1u);

        if (cold > 0) {
            /* 41 / 4096 is 1 / 100. */
            reserve += ((uint32_t)cold * plan->cold_permille * 41u) >> 12;
        }
        usable = dimmer_less(g->left, reserve * plan->permille_units);
        if (usable <= (stopped * g->full) >> 6) {
            g->stopped = 1u;
            usable = 0u;
        }
    }
    if (usable < granted >> plan->unit_shift) {
        granted = usable << plan->unit_shift;
    }
    g->granted = granted;
    g->credit = granted;
    budget = usable;
    if (g->supply != DIMMER_POWERED) {
        if (g->harvest != NULL) {
            budget = g->harvest->budget(g, usable);
        } else {
            const uint32_t power = dimmer_power_over(g, usable, g->rest_s != 0u ? g->rest_s : DAY_S);

            budget = dimmer_share_of(dimmer_less(power, plan->sleep_q8), g->span_s, g->wanted_q8 | 1u);
        }
    }
    dimmer_set_inference_budget(g, budget);
}

dimmer_status_t dimmer_governor_report(dimmer_governor_t *g, const dimmer_battery_t *now) {
    const uint32_t before = g->supply;
    const uint32_t supply = DIMMER_ON_BATTERY | (now->flags & (uint32_t)DIMMER_EXTERNAL_POWER);
    uint32_t heard;
    uint32_t passed;

    DIMMER_ASSERT(g != NULL && now != NULL);
    if (g->seal != dimmer_governor_seal(g)) {
        return DIMMER_ERR_STATE;
    }
    if (supply == before && now->time_s - g->gauge.last_s < g->plan->report_s / 2u) {
        return DIMMER_OK;
    }
    heard = dimmer_hear(&g->gauge, now);
    passed = g->gauge.passed_s;
    if (before != DIMMER_NO_REPORT) {
        if (passed != 0u) {
            learn_rate(g, passed);
        }
        if (before == DIMMER_ON_BATTERY) {
            take_spent(g, passed);
        } else if (!g->own_deadline) {
            g->rest_s = g->plan->life_s;
        }
        if (g->harvest != NULL) {
            g->harvest->take(g, now->harvest_ua, passed);
        }
    }
    g->inferences = 0u;
    g->supply = (uint8_t)supply;
    if (heard != 0u) {
        fuse(g, now->charge_permille, heard != 1u, before == DIMMER_NO_REPORT);
    }
    spend_anew(g, now->temperature_dk);
    return DIMMER_OK;
}

dimmer_advice_t dimmer_governor_choose(dimmer_governor_t *g, const dimmer_point_t **point) {
    return dimmer_choose(g, point);
}
