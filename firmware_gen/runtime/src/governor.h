/* SPDX-License-Identifier: Apache-2.0 */
/* What the governor's files share. */
#ifndef DIMMER_GOVERNOR_PARTS_H
#define DIMMER_GOVERNOR_PARTS_H

#include "dimmer_governor.h"

/* a * b / c, at most UINT32_MAX. */
uint32_t dimmer_share_of(uint32_t a, uint32_t b, uint32_t c);

/* Quanta a second times 256 that carry `units` over `seconds`. */
static inline uint32_t dimmer_power_over(const dimmer_governor_t *g, uint32_t units, uint32_t seconds) {
    return dimmer_share_of(units, 256u << g->plan->unit_shift, seconds);
}

/* Between which two neighbours the sigma-delta goes, and how often to the dearer one. */
void dimmer_set_inference_budget(dimmer_governor_t *g, uint32_t budget);

/* Of the pointer: one that is damaged is not followed. */
static inline uintptr_t dimmer_governor_seal(const dimmer_governor_t *g) {
    return ~(uintptr_t)g->plan;
}

static inline uint32_t dimmer_less(uint32_t value, uint32_t by) {
    return value > by ? value - by : 0u;
}

#endif
