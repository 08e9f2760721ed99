/* SPDX-License-Identifier: Apache-2.0 */
/* The governor of a device that lives from what it harvests, too. */
#include "governor.h"
#include "smallest_code.h"

/* The day is learnt in so many parts of so many seconds each. */
#define PARTS  DIMMER_DAY_PARTS
#define PART_S (86400u / PARTS)

/* Above, a current is no reading. */
#define MOST_HARVEST_UA 0x00ffffffu

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Adds what was harvested, and learns what the parts of a day bring. */
static void take_harvest(dimmer_governor_t *g, uint32_t harvest_ua, uint32_t passed_s) {
    const uint32_t full = g->full;

    if (harvest_ua <= MOST_HARVEST_UA) {
        const uint32_t shift = 8u + g->plan->unit_shift;
        /* Of a week: 2^24 * 2^20 * 2^16. */
        const uint64_t quanta_q8 = (uint64_t)harvest_ua * passed_s * g->plan->harvest_q8;
        const uint32_t high = (uint32_t)(quanta_q8 >> 32);
        uint32_t got = (uint32_t)quanta_q8 >> shift | high << (32u - shift);

        if (high >> shift != 0u || got > full) {
            got = full;
        }
        g->left = least(g->left + got, full);
        g->part_got = least(g->part_got + got, full);
    }
    g->part_s += passed_s;
    if (g->part_s >= PART_S) {
        uint32_t part = g->part;

        if (g->part_s < 2u * PART_S) {
            uint32_t *learnt = &g->parts[part % PARTS];

            /* In 4 units. */
            *learnt = part >= PARTS ? *learnt - *learnt / 4u + g->part_got / 16u : g->part_got / 4u;
        }
        do {
            g->part_s -= PART_S;
            if (++part == 2u * PARTS) {
                part = PARTS;
            }
        } while (g->part_s >= PART_S);
        g->part = (uint8_t)part;
        g->part_got = 0u;
    }
}

/* Quanta an inference may take, of which one comes in period_q14, where `rate` times 4 units are spent in a
 * part of the day. */
static uint32_t inference_at(const dimmer_plan_t *plan, uint32_t rate, uint32_t period_q14) {
    /* Units a second times 256, then quanta. */
    uint32_t power = (uint32_t)(((uint64_t)rate * (uint32_t)((1ull << 42) / PART_S)) >> 32);
    uint64_t quanta_q22;

    power = power < (uint32_t)INT32_MAX >> plan->unit_shift ? power << plan->unit_shift : INT32_MAX;
    quanta_q22 = (uint64_t)dimmer_less(power, plan->sleep_q8) * period_q14;
    return quanta_q22 >> 54 != 0u ? UINT32_MAX : (uint32_t)(quanta_q22 >> 22);
}

/* Two budgets, the lower one rules. That of the night is the highest that the store and the parts of the day
 * to come carry through a day at its worst, since what comes after an empty store is of no use in it. The
 * even one carries to the deadline. Without a deadline it is half of what a day brings and a 32nd of what
 * there is; or, if that is more, it goes by the charge, from the cheapest mode at a half to the best one at
 * all of it, and no mode cheaper than the cheapest is thought of, since an inference that is left out now is
 * not worth more than one that is left out later. */
static uint32_t budget_with_harvest(const dimmer_governor_t *g, uint32_t usable) {
    const dimmer_plan_t *plan = g->plan;
    const uint32_t period_q14 = dimmer_share_of(g->span_s, 1u << 22, g->wanted_q8 | 1u);
    const uint32_t full = g->full;
    /* In 4 units: a sum has at most 2^24 times 9. */
    const uint32_t level = usable / 4u;
    uint32_t sum = level;
    uint32_t night = level;
    uint32_t part = g->part;
    uint32_t even;
    uint32_t k;

    for (k = 1u; k <= PARTS; ++k) {
        night = least(night, sum / k);
        part = (part + 1u) % PARTS;
        sum += g->parts[part];
    }
    even = (sum - level) / PARTS;
    even = g->life_s == 0u
               ? even / 2u + level / (32u * PARTS)
               : even + least(dimmer_share_of(level, PART_S, g->rest_s != 0u ? g->rest_s : 86400u), full);
    if ((night < even) != (g->left >= full - full / 32u)) {
        /* The lower one, but what a full store cannot take is lost. */
        even = night;
    }
    even = inference_at(plan, even, period_q14);
    if (g->life_s == 0u) {
        const uint32_t cheapest = plan->points[0].cost;
        const uint32_t more = plan->points[plan->count - 1u].cost - cheapest;
        uint32_t by_charge = cheapest + ((dimmer_less(usable / plan->permille_units, 500u) * more) >> 9);

        night = inference_at(plan, night, period_q14);
        by_charge = least(by_charge, night > cheapest ? night : cheapest);
        even = even > by_charge ? even : by_charge;
    }
    return even;
}

const dimmer_harvest_calls_t dimmer_harvest_calls = {take_harvest, budget_with_harvest, take_harvest,
                                                     budget_with_harvest};
