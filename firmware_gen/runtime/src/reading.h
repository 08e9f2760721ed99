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

/* Takes a reading of the charge, permille, unless it is none, or a jump that the next ones do not bear out.
 * Returns whether charge->permille is it. */
int dimmer_read_charge(dimmer_charge_t *charge, uint32_t reading, uint32_t passed_s);

#endif
