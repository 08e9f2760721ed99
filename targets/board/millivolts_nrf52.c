/* SPDX-License-Identifier: Apache-2.0 */
/* The supply of an nRF52, by its converter's own input VDD: 12 bits of 3.6 V (reference 0.6 V, gain 1/6). */
#include "board.h"
#include "registers.h"

#define SAADC(offset) REGISTER(0x40007000u + (offset))
#define PATIENCE      100000u

static int wait_for(uint32_t event) {
    uint32_t polls = PATIENCE;

    while (SAADC(event) == 0u && --polls != 0u) {
    }
    SAADC(event) = 0u;
    return polls != 0u;
}

uint32_t board_supply(void) {
    static volatile int16_t sample;
    int done;

    SAADC(0x510u) = 9u;       /* CH[0].PSELP: VDD */
    SAADC(0x518u) = 2u << 16; /* CH[0].CONFIG: gain 1/6, internal reference, 10 us */
    SAADC(0x5F0u) = 2u;       /* RESOLUTION: 12 bits */
    SAADC(0x62Cu) = (uint32_t)(uintptr_t)&sample;
    SAADC(0x630u) = 1u;
    SAADC(0x500u) = 1u;
    SAADC(0x000u) = 1u; /* START */
    done = wait_for(0x100u);
    SAADC(0x004u) = 1u; /* SAMPLE */
    done = wait_for(0x104u) && done;
    SAADC(0x008u) = 1u; /* STOP */
    SAADC(0x500u) = 0u;
    return done && sample > 0 ? (uint32_t)sample * 3600u / 4096u : 0u;
}
