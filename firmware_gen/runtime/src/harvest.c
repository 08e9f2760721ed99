/* SPDX-License-Identifier: Apache-2.0 */
/* The governor of a device that lives from what it harvests, too. */
#include "governor.h"

#define DAY_S  86400u
#define HOUR_S 3600u

/* Above, a current is no reading. */
#define MOST_HARVEST_UA 0x00ffffffu

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Adds what was harvested, and learns the hours of the day. */
static void take_harvest(dimmer_governor_t *g, uint32_t harvest_ua, uint32_t passed_s) {
    const uint32_t full = dimmer_full(g->plan);

    if (harvest_ua <= MOST_HARVEST_UA) {
        const uint64_t quanta = (((uint64_t)harvest_ua * passed_s) * g->plan->harvest_q8) >> 8;
        const uint64_t units = quanta >> g->plan->unit_shift;
        const uint32_t got = units < full ? (uint32_t)units : full;

        g->left = least(g->left + got, full);
        g->hour_got = least(g->hour_got + got, full);
    }
    g->hour_s += passed_s;
    if (g->hour_s >= HOUR_S) {
        uint32_t *hour = &g->hours[g->hour];

        if (g->hour_s < 2u * HOUR_S) {
            *hour = (g->whole_day ? *hour - *hour / 4u : 0u) + (g->hour_got >> (g->whole_day ? 8 : 6));
        }
        for (; g->hour_s >= HOUR_S; g->hour_s -= HOUR_S) {
            if (++g->hour == 24u) {
                g->hour = 0u;
                g->whole_day = 1u;
            }
        }
        g->hour_got = 0u;
    }
}

/* Quanta a second times 256 that carry units, in 64, over `seconds`. */
static uint32_t power_over(const dimmer_governor_t *g, uint32_t units_64, uint32_t seconds) {
    const uint64_t power =
        ((uint64_t)units_64 * (UINT32_MAX / seconds)) >> (DIMMER_MAX_UNIT_SHIFT - g->plan->unit_shift);

    return power < INT32_MAX ? (uint32_t)power : INT32_MAX;
}

/* Quanta an inference may take, of which one comes in period_q14, where that many are to be spent a second.
 */
static uint32_t inference_at(const dimmer_governor_t *g, uint32_t power, uint32_t period_q14) {
    const uint64_t budget = ((uint64_t)dimmer_less(power, g->plan->sleep_q8) * period_q14) >> 22;

    return budget < INT32_MAX ? (uint32_t)budget : INT32_MAX;
}

/* Two budgets, the lower one rules: that of the night is the highest that the store and the hours to come
 * carry through a day at its worst hour, since what comes after an empty store is of no use in it; the other
 * one carries to the deadline. Without a deadline, half of that is what a day brings and half goes by the
 * charge, and neither lies under the cheapest mode, since an inference that is left out now is not worth more
 * than one that is left out later. */
static uint32_t budget_with_harvest(const dimmer_governor_t *g, uint32_t usable, uint32_t period_q14) {
    const dimmer_plan_t *plan = g->plan;
    const uint32_t full = dimmer_full(plan);
    const uint32_t cheapest = plan->points[0].cost;
    const uint32_t *hour = &g->hours[g->hour];
    /* In 64 units, so that products fit: a sum has at most 2^20 times 25. */
    uint32_t sum = usable >> 6;
    uint32_t worst = sum;
    uint32_t over = 1u;
    uint32_t k;
    uint32_t night;
    uint32_t even;

    for (k = 1u; k <= 24u; ++k) {
        if (sum * over < worst * k) {
            worst = sum;
            over = k;
        }
        if (++hour == &g->hours[24]) {
            hour = g->hours;
        }
        sum += *hour;
    }
    sum -= usable >> 6;
    night = power_over(g, worst, over * HOUR_S);
    even = power_over(g, sum, DAY_S);
    if (!g->endless) {
        even += least(dimmer_power_over(g, usable, g->rest_s != 0u ? g->rest_s : DAY_S), INT32_MAX);
    }
    night = inference_at(g, night, period_q14);
    even = inference_at(g, even, period_q14);
    if (g->endless) {
        /* 5592 / 2^22 is 1 / 750: from a quarter of the store to all of it. */
        const uint32_t part_q22 = dimmer_less(usable / plan->permille_units, 250u) * 5592u;
        const uint32_t more = plan->points[plan->count - 1u].cost - cheapest;

        even = (even + cheapest + (uint32_t)(((uint64_t)part_q22 * more) >> 22)) / 2u;
        even = even > cheapest ? even : cheapest;
        night = night > cheapest ? night : cheapest;
    }
    /* What a full store cannot take is lost. */
    return (night < even) == (g->left >= full - full / 32u) ? even : night;
}

const dimmer_harvest_calls_t dimmer_harvest_calls = {take_harvest, budget_with_harvest};
