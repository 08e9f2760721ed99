/* SPDX-License-Identifier: Apache-2.0 */
/* Sleep of an ESP32-C3's core: it stands still until its system timer, which `setup` starts, comes to an
 * alarm every 10 ms. No interrupt is taken: one that is pending wakes the core whether it may be taken or
 * not (RISC-V privileged architecture, 3.3.3). The chip's light sleep, which stops the rest, is not it. */
#include "board.h"
#include "registers.h"

#define INT_RAW REGISTER(0x60023068u)
#define INT_CLR REGISTER(0x6002306Cu)

void board_sleep(uint32_t milliseconds) {
    uint32_t alarms = milliseconds / 10u + 1u;

    INT_CLR = 1u; /* of while it was awake */
    while (alarms != 0u) {
        __asm__ volatile("wfi" ::: "memory");
        if ((INT_RAW & 1u) != 0u) {
            INT_CLR = 1u;
            --alarms;
        }
    }
}
