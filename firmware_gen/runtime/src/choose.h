/* SPDX-License-Identifier: Apache-2.0 */
/* The next inference, as dimmer_governor_choose finds it and dimmer_next: a firmware has one of the two, and
 * no call in between. */
#ifndef DIMMER_CHOOSE_H
#define DIMMER_CHOOSE_H

#include "governor.h"
#include "smallest_code.h"

/* See dimmer_governor_choose. */
static inline dimmer_advice_t dimmer_choose(dimmer_governor_t *g, const dimmer_point_t **point) {
    const dimmer_point_t *next;
    uint32_t number = g->neighbour;
    uint32_t owed = g->owed;
    dimmer_advice_t advice = DIMMER_RUN;

    if (g->seal != dimmer_governor_seal(g)) {
        return DIMMER_STOP;
    }
    if (++g->inferences > g->missed && number != 0u) {
        number = 0u;
    } else {
        owed += g->extra;
        if (owed >= g->step) {
            owed -= g->step;
        } else if (number != 0u) {
            --number;
        } else {
            advice = DIMMER_SKIP;
        }
    }
    next = &g->plan->points[number];
    if (next->cost > g->credit) {
        return DIMMER_STOP;
    }
    g->owed = owed;
    if (advice == DIMMER_RUN) {
        g->credit -= next->cost;
        *point = next;
    }
    return advice;
}

#endif
