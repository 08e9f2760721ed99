/* SPDX-License-Identifier: Apache-2.0 */
#include "governor.h"

#include <string.h>

#include "choose.h"
#include "dimmer_assert.h"
#include "reading.h"
#include "smallest_code.h"

#define DAY_S 86400u

/* Below, about 8.5 degrees Celsius, cells hold less. */
#define WARM_DK 2816u

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

void dimmer_governor_start(dimmer_governor_t *g, const dimmer_plan_t *plan) {
    DIMMER_ASSERT(g != NULL && dimmer_plan_check(plan) == DIMMER_OK);
    memset(g, 0, sizeof *g);
    g->plan = plan;
    g->seal = dimmer_governor_seal(g);
    g->rest_s = plan->life_s;
    g->life_s = plan->life_s;
    g->full = (uint32_t)plan->permille_units * 1000u;
    g->left = g->full;
    g->granted = MOST_GRANTED;
    g->credit = MOST_GRANTED;
    g->span_s = plan->report_s;
    g->wanted_q8 = plan->wanted_q8;
    g->begun = (1u << plan->unit_shift) - 1u;
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
    /* A week of the most: 2^20 * 2^12. */
    const uint32_t asleep = dimmer_share_of(passed, g->plan->sleep_q8, 256u) + 1u;
    const uint32_t quanta = asleep + (g->granted - g->credit) + g->begun;
    const uint32_t units = quanta >> shift;

    g->begun = quanta - (units << shift);
    g->left = dimmer_less(g->left, units);
    g->unmoved += units;
    g->rest_s = dimmer_less(g->rest_s, passed);
}

/* Adds what was harvested, as far as the store takes it. A current of 2^24 microamperes is no reading. */
static void take_harvest(dimmer_governor_t *g, uint32_t harvest_ua, uint32_t passed) {
    if (harvest_ua >> 24 == 0u) {
        const dimmer_plan_t *plan = g->plan;
        const uint32_t room = g->full - g->left;
        const uint32_t rate_q8 = dimmer_share_of(harvest_ua, plan->harvest_q8, 1u);
        const uint32_t got = dimmer_share_of(rate_q8, passed, 256u << plan->unit_shift);

        g->left += got < room ? got : room;
    }
}

/* Draws the own count towards the gauge. */
static void fuse(dimmer_governor_t *g, uint32_t reading, int moved, int first) {
    int32_t apart = (int32_t)(reading * g->plan->permille_units - g->left);

    if (moved || g->plan->harvest_q8 != 0u) {
        g->unmoved = 0u;
    }
    /* One that has not moved while this much was spent is stuck. */
    if (g->unmoved <= g->full / 16u) {
        g->left += (uint32_t)(first ? apart : apart >> 3);
    }
}

/* With a deadline, what is left is spread over the time until then. Without one the charge decides: the
 * cheapest mode alone up to what is kept for days without harvest, and dearer ones the more there is above,
 * since what a full store cannot take is lost. */
static void spend_anew(dimmer_governor_t *g, uint32_t temperature_dk) {
    const dimmer_plan_t *plan = g->plan;
    uint32_t usable = UINT32_MAX;
    uint32_t granted = MOST_GRANTED;
    uint32_t budget;

    if (g->supply != DIMMER_POWERED) {
        uint32_t reserve = plan->reserve_permille;
        /* Of a temperature that is not known nothing is left. */
        const uint32_t cold = WARM_DK - temperature_dk;

        if (cold < WARM_DK) {
            reserve += (cold * plan->cold_q6) >> 6;
        }
        usable = dimmer_less(g->left, reserve * plan->permille_units);
    }
    g->stopped = usable == 0u;
    if (usable < granted >> plan->unit_shift) {
        granted = usable << plan->unit_shift;
    }
    g->granted = granted;
    g->credit = granted;
    budget = usable;
    if (g->supply != DIMMER_POWERED) {
        if (g->life_s == 0u) {
            const uint32_t cheapest = plan->points[0].cost;
            const uint32_t more = plan->points[plan->count - 1u].cost - cheapest;
            const uint32_t low = (g->full * plan->low_q6) >> 6;

            budget = cheapest + dimmer_share_of(dimmer_less(usable, low), more, g->full - low);
        } else {
            const uint32_t power = dimmer_power_over(g, usable, g->rest_s != 0u ? g->rest_s : DAY_S);

            budget = dimmer_share_of(dimmer_less(power, plan->sleep_q8), g->span_s, g->wanted_q8);
        }
    }
    dimmer_set_inference_budget(g, budget);
}

dimmer_status_t dimmer_governor_report(dimmer_governor_t *g, const dimmer_battery_t *now) {
    uint32_t before;
    uint32_t supply;
    uint32_t heard;
    uint32_t passed;

    DIMMER_ASSERT(g != NULL && now != NULL);
    before = g->supply;
    supply = DIMMER_ON_BATTERY | (now->flags & (uint32_t)DIMMER_EXTERNAL_POWER);
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
        take_harvest(g, now->harvest_ua, passed);
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
