/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include "smallest_code.h"

uint32_t dimmer_hear(dimmer_charge_t *charge, const dimmer_battery_t *now) {
    const uint32_t passed = dimmer_elapsed(charge->last_s, now->time_s);
    const uint32_t reading = now->charge_permille;
    uint32_t before = charge->believed;

    charge->last_s = now->time_s;
    charge->passed_s = passed;
    /* A gauge that does not answer reads as 0: of a battery that was not nearly empty that says nothing. */
    if (reading > 1000u || (reading == 0u && before - 1u > 50u)) {
        charge->silent_s += passed;
        return 0u;
    }
    charge->silent_s = 0u;
    if (before != 0u) {
        /* A gauge's noise, and a whole charge in little more than an hour. */
        const uint32_t slack = 100u + passed / 4u;

        if (reading + 1u + slack - before > 2u * slack) {
            const uint32_t odd = charge->odd + 1u;

            charge->odd = (uint8_t)odd;
            if (odd < DIMMER_ODD_READINGS) {
                return 0u;
            }
        }
    }
    charge->odd = 0u;
    charge->believed = (uint16_t)(reading + 1u);
    before ^= reading + 1u;
    return before + 1u;
}
