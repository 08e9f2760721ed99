/* SPDX-License-Identifier: Apache-2.0 */
/* Instruction and data cache of a Cortex-M7, on: without them it runs at the pace of its flash. What they
 * hold after a reset is not known, so it is thrown away first (Armv7-M Architecture Reference Manual,
 * B2.2.7). */
#include "board.h"
#include "registers.h"

#define BARRIER() __asm__ volatile("dsb\n\tisb" ::: "memory")

void board_prepare(void) {
    uint32_t geometry;
    uint32_t set;

    REGISTER(0xE000EF50u) = 0u; /* ICIALLU */
    REGISTER(0xE000ED84u) = 0u; /* CSSELR: the data cache of level 1 */
    BARRIER();
    geometry = REGISTER(0xE000ED80u); /* CCSIDR */
    for (set = 0; set <= (geometry >> 13 & 0x7FFFu); ++set) {
        uint32_t way;

        for (way = 0; way <= (geometry >> 3 & 0x3FFu); ++way) {
            REGISTER(0xE000EF60u) = way << 30 | set << 5; /* DCISW: 4 ways, lines of 32 bytes */
        }
    }
    BARRIER();
    REGISTER(0xE000ED14u) |= 3u << 16; /* CCR.IC, CCR.DC */
    BARRIER();
}
