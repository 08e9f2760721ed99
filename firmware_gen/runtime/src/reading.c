/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include "dimmer_small_code.h"

int dimmer_read_charge(dimmer_charge_t *charge, uint32_t reading, uint32_t passed_s) {
    const uint32_t known = charge->permille;

    /* A gauge that does not answer reads as 0: of a battery that was not nearly empty that says nothing. */
    if (reading > 1000u || (reading == 0u && known > 50u)) {
        charge->silent_s += passed_s;
        return 0;
    }
    charge->silent_s = 0u;
    if (known != DIMMER_UNKNOWN) {
        /* A gauge's noise, and a whole charge in little more than an hour. */
        const uint32_t slack = 100u + passed_s / 4u;

        if (reading + slack - known > 2u * slack && ++charge->odd < DIMMER_ODD_READINGS) {
            return 0;
        }
    }
    charge->odd = 0u;
    charge->permille = (uint16_t)reading;
    return 1;
}
