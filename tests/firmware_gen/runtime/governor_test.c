/* SPDX-License-Identifier: Apache-2.0 */
/* Devices with random plans live random lives; what the governor promises is checked at each step.
 *
 *   governor_test STEPS SEED     about STEPS inferences and reports; prints what it did in a line
 *
 * The first promise that is broken is printed, and the exit code is 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dimmer_governor.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                           \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

/* xorshift64*, by S. Vigna. */
static uint64_t random_state;

static uint32_t random_number(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 0x2545F4914F6CDD1Du) >> 32);
}

static uint32_t random_below(uint32_t limit) {
    return random_number() % limit;
}

static int one_in(uint32_t count) {
    return random_below(count) == 0u;
}

static unsigned long steps;
static unsigned long ran;
static unsigned long skipped;
static unsigned long stopped;
static unsigned long devices;

static dimmer_plan_t random_plan(void) {
    dimmer_plan_t plan;
    uint32_t cost = 1u + random_below(6000u);
    uint32_t i;

    memset(&plan, 0, sizeof plan);
    plan.count = (uint8_t)(1u + random_below(DIMMER_MAX_POINTS));
    for (i = 0; i < plan.count; ++i) {
        plan.points[i].cost = (uint16_t)cost;
        plan.points[i].mode = (uint8_t)(plan.count - 1u - i);
        cost += 1u + random_below(8000u);
    }
    plan.permille_units = (uint16_t)(one_in(4u) ? 1u + random_below(100u) : 1000u + random_below(64000u));
    plan.unit_shift = (uint8_t)random_below(14u);
    plan.sleep_q8 = random_below(one_in(3u) ? DIMMER_MAX_SLEEP_Q8 : 3000u);
    plan.wanted_q8 = 1u + random_below(1u << (1u + random_below(24u)));
    plan.report_s = (uint16_t)(1u + random_below(2000u));
    plan.life_s = 1u + random_below(1u << (4u + random_below(21u)));
    plan.reserve_permille = (uint16_t)random_below(one_in(10u) ? 1000u : 100u);
    plan.cold_q6 = (uint8_t)random_below(256u);
    if (one_in(3u)) {
        plan.harvest_q8 = (uint16_t)(1u + random_below(65535u));
        plan.low_q6 = (uint8_t)random_below(64u);
        plan.life_s = one_in(2u) ? 0u : plan.life_s;
    }
    CHECK(dimmer_plan_check(&plan) == DIMMER_OK);
    return plan;
}

/* A device as it truly is, in quanta: no cost is over its table's. */
typedef struct {
    dimmer_plan_t plan;
    dimmer_governor_t g;
    double left;
    double full;
    uint64_t costs;
    uint64_t budgets;
    uint32_t now_s;
    uint32_t clock_s; /* what the device takes now_s for */
} device_t;

/* One inference that is wanted. Returns what it took. */
static uint32_t infer(device_t *d, int recently_reported) {
    const dimmer_governor_t before = d->g;
    const dimmer_point_t *point = NULL;
    const dimmer_advice_t advice = dimmer_governor_choose(&d->g, &point);
    const uint32_t cheapest = d->plan.points[0].cost;
    const uint32_t dearest = d->plan.points[d->plan.count - 1u].cost;
    uint64_t apart;
    uint32_t cost;

    ++steps;
    CHECK(d->g.budget == before.budget && d->g.left == before.left);
    if (advice == DIMMER_STOP) {
        ++stopped;
        CHECK(d->g.credit < dearest && point == NULL);
        CHECK(d->g.owed == before.owed && d->g.credit == before.credit);
        return 0u;
    }
    if (advice == DIMMER_SKIP) {
        ++skipped;
        CHECK(point == NULL && d->g.budget < cheapest);
        d->budgets += d->g.budget;
        cost = 0u;
    } else {
        ++ran;
        CHECK(advice == DIMMER_RUN && point >= d->plan.points && point < d->plan.points + d->plan.count);
        cost = point->cost;
        /* One of the two neighbours of the budget, or the cheapest where reports are missed. */
        if (d->g.inferences > d->g.missed && d->g.budget >= cheapest) {
            CHECK(cost == cheapest);
            d->budgets += cheapest;
        } else {
            CHECK(cost <= d->g.budget || point == d->plan.points || point[-1].cost <= d->g.budget);
            CHECK(cost >= d->g.budget || point + 1 == d->plan.points + d->plan.count ||
                  point[1].cost > d->g.budget);
            d->budgets += d->g.budget;
        }
    }
    d->costs += cost;
    /* What was spent never leaves what was granted by more than one inference. */
    apart = d->costs > d->budgets ? d->costs - d->budgets : d->budgets - d->costs;
    CHECK(apart <= dearest);
    CHECK(d->budgets - d->costs == d->g.owed);
    CHECK(d->g.owed < dearest);
    if (recently_reported) {
        CHECK(before.credit - cost == d->g.credit);
    }
    return cost;
}

/* A device whose gauge is right or silent, whose sleep and costs are at most the plan's and whose clock runs
 * straight keeps its reserve: no inference eats into it. */
static void the_reserve_is_kept(void) {
    device_t d;
    const int silent = one_in(2u);
    uint32_t reports = 20u + random_below(200u);
    double reserve;

    memset(&d, 0, sizeof d);
    d.plan = random_plan();
    d.plan.harvest_q8 = 0u;
    d.plan.cold_q6 = 0u;
    if (d.plan.life_s == 0u) {
        d.plan.life_s = 100000u;
    }
    dimmer_governor_start(&d.g, &d.plan);
    d.full = 1000.0 * d.plan.permille_units * (double)(1u << d.plan.unit_shift);
    reserve = d.full / 1000.0 * d.plan.reserve_permille;
    d.left = d.full;
    ++devices;
    for (; reports != 0u; --reports) {
        const uint32_t pause = d.plan.report_s + random_below(d.plan.report_s + 1u);
        uint32_t inferences = random_below(200u);
        dimmer_battery_t now;

        memset(&now, 0, sizeof now);
        now.time_s = d.now_s;
        now.charge_permille =
            (uint16_t)(silent ? DIMMER_UNKNOWN : (uint32_t)(d.left < 0.0 ? 0.0 : d.left * 1000.0 / d.full));
        ++steps;
        dimmer_governor_report(&d.g, &now);
        CHECK((double)d.g.left * (double)(1u << d.plan.unit_shift) <= (d.left > 0.0 ? d.left + 1e-6 : 0.0));
        for (; inferences != 0u; --inferences) {
            const double before = d.left;

            d.left -= infer(&d, 1) * (one_in(2u) ? 1.0 : 0.5);
            CHECK(d.left >= reserve || d.left == before);
        }
        d.now_s += pause;
        d.left -= d.plan.sleep_q8 / 256.0 * pause;
    }
}

/* Whatever gauge and clock say: nothing overflows (the sanitizers look), costs keep to budgets, and the state
 * stays within its bounds. */
static void anything_may_be_reported(void) {
    device_t d;
    uint32_t reports = 20u + random_below(200u);
    uint16_t stuck = (uint16_t)random_below(1001u);
    const uint32_t fault = random_below(8u);

    memset(&d, 0, sizeof d);
    d.plan = random_plan();
    dimmer_governor_start(&d.g, &d.plan);
    d.clock_s = one_in(2u) ? random_number() : UINT32_MAX - random_below(100000u);
    ++devices;
    for (; reports != 0u; --reports) {
        uint32_t inferences = random_below(100u);
        dimmer_battery_t now;

        memset(&now, 0, sizeof now);
        switch (fault) {
        case 0: /* it wraps */
        case 1:
            d.clock_s += random_below(4u * d.plan.report_s);
            break;
        case 2: /* it steps back */
            d.clock_s += one_in(10u) ? 0u - random_below(1u << 20) : random_below(2u * d.plan.report_s);
            break;
        case 3: /* it is set */
            d.clock_s = one_in(20u) ? random_number() : d.clock_s + random_below(2u * d.plan.report_s);
            break;
        case 4: /* it stands still */
            break;
        default:
            d.clock_s += random_below(1u << random_below(24u));
        }
        now.time_s = d.clock_s;
        now.charge_permille = (uint16_t)(one_in(3u)   ? stuck
                                         : one_in(4u) ? random_below(65536u)
                                         : one_in(8u) ? 0u
                                                      : random_below(1001u));
        now.millivolts = (uint16_t)random_number();
        now.temperature_dk = (uint16_t)(one_in(2u) ? 0u : random_below(4000u));
        now.harvest_ua = one_in(3u) ? random_number() : random_below(1u << random_below(25u));
        now.flags = one_in(16u) ? DIMMER_EXTERNAL_POWER : 0u;
        ++steps;
        dimmer_governor_report(&d.g, &now);
        CHECK(d.g.left <= 1000u * d.plan.permille_units);
        CHECK(d.g.budget <= d.plan.points[d.plan.count - 1u].cost);
        CHECK(dimmer_governor_charge(&d.g) <= 1000u);
        CHECK(dimmer_governor_share(&d.g) <= 1000u);
        (void)dimmer_governor_life_s(&d.g);
        if (d.g.supply == DIMMER_POWERED) {
            CHECK(dimmer_governor_share(&d.g) == 1000u);
        }
        if (d.g.supply == DIMMER_POWERED && d.plan.count > 1u) {
            CHECK(d.g.budget == d.plan.points[d.plan.count - 1u].cost);
        }
        for (; inferences != 0u; --inferences) {
            (void)infer(&d, 0);
        }
    }
}

/* More charge never gives a smaller budget. */
static void it_is_monotone_in_charge(void) {
    const dimmer_plan_t plan = random_plan();
    const uint32_t start = random_number();
    dimmer_governor_t one;
    dimmer_governor_t other;
    dimmer_battery_t now;
    /* A first reading of 0 is that of a gauge which does not answer: it says nothing. */
    uint16_t low = (uint16_t)(1u + random_below(1000u));
    uint16_t high = (uint16_t)(1u + random_below(1000u));

    if (low > high) {
        const uint16_t swapped = low;

        low = high;
        high = swapped;
    }
    memset(&now, 0, sizeof now);
    now.time_s = start;
    dimmer_governor_start(&one, &plan);
    now.charge_permille = low;
    dimmer_governor_report(&one, &now);
    dimmer_governor_start(&other, &plan);
    now.charge_permille = high;
    dimmer_governor_report(&other, &now);
    steps += 2u;
    ++devices;
    CHECK(one.budget <= other.budget);
    CHECK(one.stopped >= other.stopped);
    CHECK(dimmer_governor_share(&one) <= dimmer_governor_share(&other));
}

/* Of a state whose pointer is damaged nothing is followed, and nothing changes. */
static void damage_is_found(void) {
    const dimmer_plan_t plan = random_plan();
    const dimmer_point_t *point = NULL;
    dimmer_governor_t g;
    dimmer_governor_t before;
    dimmer_battery_t now;
    uint8_t *bytes = (uint8_t *)&g;

    memset(&now, 0, sizeof now);
    dimmer_governor_start(&g, &plan);
    CHECK(dimmer_governor_report(&g, &now) == DIMMER_OK);
    bytes[random_below(2u * sizeof(void *))] ^= (uint8_t)(1u << random_below(8u));
    before = g;
    now.time_s = 1000000u;
    CHECK(dimmer_governor_report(&g, &now) == DIMMER_ERR_STATE);
    CHECK(dimmer_governor_choose(&g, &point) == DIMMER_STOP && point == NULL);
    CHECK(memcmp(&g, &before, sizeof g) == 0);
}

int main(int argc, char **argv) {
    const unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000ul;

    random_state = 88172645463325252u ^ (argc > 2 ? strtoul(argv[2], NULL, 10) : 1u);
    while (steps < wanted) {
        the_reserve_is_kept();
        anything_may_be_reported();
        it_is_monotone_in_charge();
        damage_is_found();
    }
    printf("%lu steps of %lu devices: %lu ran, %lu were left out, %lu stopped\n", steps, devices, ran,
           skipped, stopped);
    return ran == 0u || skipped == 0u || stopped == 0u;
}
