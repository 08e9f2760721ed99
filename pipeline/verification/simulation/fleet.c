/* SPDX-License-Identifier: Apache-2.0 */
/* Many devices at a call, for simulations on a host. Every report and every choice is the runtime's own;
 * choices between two reports are summed without being stepped through where
 * tests/pipeline/verification/simulation/test_fleet.py shows that the sum is the same. */
#include "fleet.h"

/* Steps through choices, one by one. */
static void step_choices(dimmer_governor_t *g, uint32_t wanted, uint32_t *counts) {
    for (; wanted != 0u; --wanted) {
        const dimmer_point_t *point = NULL;
        const dimmer_advice_t advice = dimmer_governor_choose(g, &point);

        ++counts[advice == DIMMER_RUN    ? (uint32_t)(point - g->plan->points) + FLEET_POINTS
                 : advice == DIMMER_SKIP ? FLEET_LEFT_OUT
                                         : FLEET_STOPPED];
    }
}

void fleet_choose(dimmer_governor_t *g, uint32_t wanted, int each, uint32_t *counts) {
    const dimmer_plan_t *plan = g->plan;
    const uint32_t low = g->neighbour;
    const uint64_t dearest = (uint64_t)plan->points[low].cost * wanted;
    uint64_t owed;
    uint32_t dear;

    if (!each && g->credit < plan->points[0].cost) {
        /* Not even the cheapest point is granted. */
        counts[FLEET_STOPPED] += wanted;
        g->inferences += wanted;
        return;
    }
    /* Nothing is missed, and the credit cannot run out: the sum of a sigma-delta of first order. */
    if (each || dearest > g->credit || (uint64_t)g->inferences + wanted > g->missed || g->owed >= g->step) {
        step_choices(g, wanted, counts);
        return;
    }
    owed = g->owed + (uint64_t)g->extra * wanted;
    dear = (uint32_t)(owed / g->step);
    g->owed = (uint32_t)(owed % g->step);
    counts[low + FLEET_POINTS] += dear;
    g->credit -= plan->points[low].cost * dear;
    if (low != 0u) {
        counts[low - 1u + FLEET_POINTS] += wanted - dear;
        g->credit -= plan->points[low - 1u].cost * (wanted - dear);
    } else {
        counts[FLEET_LEFT_OUT] += wanted - dear;
    }
    g->inferences += wanted;
}

void fleet_start(dimmer_governor_t *governors, size_t devices, const dimmer_plan_t *plan) {
    size_t i;

    for (i = 0; i < devices; ++i) {
        dimmer_governor_start(&governors[i], plan);
    }
}

void fleet_govern(dimmer_governor_t *governors, size_t devices, const dimmer_battery_t *reports,
                  const uint32_t *wanted, int each, uint32_t *counts) {
    size_t i;

    for (i = 0; i < devices; ++i) {
        dimmer_governor_report(&governors[i], &reports[i]);
        fleet_choose(&governors[i], wanted[i], each, &counts[i * FLEET_COUNTS]);
    }
}

void fleet_tiers(const dimmer_policy_t *policy, dimmer_policy_state_t *states, size_t devices,
                 const dimmer_battery_t *reports, uint8_t *tiers) {
    size_t i;

    for (i = 0; i < devices; ++i) {
        dimmer_policy_step(policy, &states[i], &reports[i]);
        tiers[i] = states[i].tier;
    }
}

size_t fleet_governor_size(void) {
    return sizeof(dimmer_governor_t);
}
