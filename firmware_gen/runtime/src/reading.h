/* SPDX-License-Identifier: Apache-2.0 */
/* What may be believed of a report: clocks are set, gauges drop out. */
#ifndef DIMMER_READING_H
#define DIMMER_READING_H

#include "dimmer.h"

/* A clock that goes on by more than this from one report to the next was set, or stepped back. */
#define DIMMER_CLOCK_SET_S 604800u

/* Readings in a row that are needed before a jump is believed. */
#define DIMMER_ODD_READINGS 3u

/* Seconds from one report to the next, across a wrap; 0 where the clock was set in between. */
static inline uint32_t dimmer_elapsed(uint32_t last_s, uint32_t now_s) {
    const uint32_t passed = now_s - last_s;

    return passed <= DIMMER_CLOCK_SET_S ? passed : 0u;
}

/* Hears a report: how much time passed, and what is believed of its charge. A charge that is no reading, or a
 * jump that the next ones do not bear out, is not.
 * Returns 0 where the charge of the report is not believed, 1 where it is and is the same as before, and
 * anything else where it moved. */
uint32_t dimmer_hear(dimmer_charge_t *charge, const dimmer_battery_t *now);

#endif
