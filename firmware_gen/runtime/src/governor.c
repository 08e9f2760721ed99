/* SPDX-License-Identifier: Apache-2.0 */
#include "governor.h"

#include <string.h>

#include "dimmer_assert.h"
#include "reading.h"
#include "dimmer_small_code.h"

#define DAY_S 86400u

/* Rates are learnt over a day at least, so that nights and days weigh as they do. */
#define LONGEST_SPAN_S 131072u

/* Reports are missed after so many inferences, and eight times those between two reports. */
#define FEWEST_BETWEEN 64u

/* Most that is granted from one report to the next: with the sleep of a week it fits 32 bits. */
#define MOST_GRANTED 0x7effffffu

void dimmer_set_inference_budget(dimmer_governor_t *g, uint32_t budget) {
    const dimmer_point_t *point = g->plan->points;
    const uint32_t most = point[g->plan->count - 1u].cost;
    uint32_t base = 0u;

    if (budget > most) {
        budget = most;
    }
    g->neighbour = 0u;
    while (budget > point->cost) {
        base = point->cost;
        ++point;
        ++g->neighbour;
    }
    g->budget = budget;
    g->extra = budget - base;
    g->step = point->cost - base;
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
    g->endless = plan->life_s == 0u;
    g->left = dimmer_full(plan);
    /* So that a unit is counted as soon as it is begun. */
    g->remainder = (1u << plan->unit_shift) - 1u;
    g->gauge.permille = DIMMER_UNKNOWN;
    g->granted = MOST_GRANTED;
    g->credit = MOST_GRANTED;
    g->span_s = plan->report_s;
    g->wanted_q8 = dimmer_share_of(plan->report_s, 256000u, plan->period_ms);
    g->missed = FEWEST_BETWEEN + (g->wanted_q8 >> 5);
    dimmer_set_inference_budget(g, plan->points[0].cost);
}

/* How often inferences are wanted. */
static void learn_rate(dimmer_governor_t *g, uint32_t passed) {
    g->missed += FEWEST_BETWEEN / 8u + g->inferences - (g->missed >> 3);
    g->wanted_q8 += g->inferences << 8;
    g->span_s += passed;
    if (g->span_s > LONGEST_SPAN_S || g->wanted_q8 > INT32_MAX) {
        g->span_s >>= 1;
        g->wanted_q8 >>= 1;
    }
}

/* Counts what was spent, in whole units. */
static void take_spent(dimmer_governor_t *g, uint32_t passed) {
    const uint32_t shift = g->plan->unit_shift;
    const uint32_t asleep = (uint32_t)(((uint64_t)g->plan->sleep_q8 * passed + 255u) >> 8);
    const uint32_t quanta = asleep + g->remainder + (g->granted - g->credit);
    const uint32_t units = quanta >> shift;

    g->remainder = quanta - (units << shift);
    g->left = dimmer_less(g->left, units);
    g->unmoved += units;
    g->rest_s = dimmer_less(g->rest_s, passed);
}

/* Draws the own count towards the gauge. */
static void fuse(dimmer_governor_t *g, uint32_t reading, uint32_t passed) {
    const uint32_t before = g->gauge.permille;
    uint32_t gauge;

    if (!dimmer_read_charge(&g->gauge, reading, passed)) {
        return;
    }
    if (reading != before || g->harvest != NULL) {
        g->unmoved = 0u;
    }
    /* One that has not moved while this much was spent is stuck. */
    if (g->unmoved > dimmer_full(g->plan) / 16u) {
        return;
    }
    gauge = reading * g->plan->permille_units;
    if (!g->started) {
        g->left = gauge;
    }
    /* 2^26 at most times 8. */
    g->left = (7u * g->left + gauge) >> 3;
}

static void spend_anew(dimmer_governor_t *g, uint32_t temperature_dk) {
    const dimmer_plan_t *plan = g->plan;
    const uint32_t shift = plan->unit_shift;
    uint32_t reserve = plan->reserve_permille;
    uint32_t granted = MOST_GRANTED;
    uint32_t budget = UINT32_MAX;
    uint32_t usable;

    if (temperature_dk != 0u) {
        /* 41 / 4096 is 1 / 100. */
        reserve += (dimmer_less(2831u, temperature_dk) * plan->cold_permille * 41u) >> 12;
    }
    usable = dimmer_less(g->left, reserve * plan->permille_units);
    if (g->powered || usable > (g->stopped ? dimmer_full(plan) / 64u : 0u)) {
        g->stopped = 0u;
    } else {
        g->stopped = 1u;
        usable = 0u;
    }
    if (!g->powered) {
        if (usable < granted >> shift) {
            granted = usable << shift;
        }
        if (g->harvest != NULL) {
            budget = g->harvest->budget(g, usable, dimmer_share_of(g->span_s, 1u << 22, g->wanted_q8 | 1u));
        } else {
            const uint32_t power = dimmer_power_over(g, usable, g->rest_s != 0u ? g->rest_s : DAY_S);

            budget = dimmer_share_of(dimmer_less(power, plan->sleep_q8), g->span_s, g->wanted_q8 | 1u);
        }
    }
    g->granted = granted;
    g->credit = granted;
    dimmer_set_inference_budget(g, budget);
}

void dimmer_governor_report(dimmer_governor_t *g, const dimmer_battery_t *now) {
    const uint8_t powered = now->flags & DIMMER_EXTERNAL_POWER;
    uint32_t passed = 0u;

    DIMMER_ASSERT(g != NULL && now != NULL);
    if (g->started) {
        if (powered == g->powered && now->time_s - g->last_s < g->plan->report_s / 2u) {
            return;
        }
        passed = dimmer_elapsed(g->last_s, now->time_s);
        if (passed != 0u) {
            learn_rate(g, passed);
        }
        if (!g->powered) {
            take_spent(g, passed);
        } else if (!g->own_deadline) {
            g->rest_s = g->plan->life_s;
        }
        if (g->harvest != NULL) {
            g->harvest->take(g, now->harvest_ua, passed);
        }
    }
    g->inferences = 0u;
    g->last_s = now->time_s;
    g->powered = powered;
    fuse(g, now->charge_permille, passed);
    g->started = 1u;
    spend_anew(g, now->temperature_dk);
}

dimmer_advice_t dimmer_governor_choose(dimmer_governor_t *g, const dimmer_point_t **point) {
    const dimmer_point_t *next = g->plan->points + g->neighbour;
    uint32_t owed = g->owed + g->extra;
    int skip = 0;

    if (++g->inferences > g->missed && g->neighbour != 0u) {
        next = g->plan->points;
        owed = g->owed;
    } else if (owed >= g->step) {
        owed -= g->step;
    } else if (g->neighbour != 0u) {
        --next;
    } else {
        skip = 1;
    }
    if (next->cost > g->credit) {
        return DIMMER_STOP;
    }
    g->owed = owed;
    if (skip) {
        return DIMMER_SKIP;
    }
    g->credit -= next->cost;
    *point = next;
    return DIMMER_RUN;
}
