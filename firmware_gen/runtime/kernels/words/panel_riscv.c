/* SPDX-License-Identifier: Apache-2.0 */
#include "panel.h"
#include "../common/assembly.h"
#include "four_riscv.h"

#if defined(DIMMER_PANEL_HAS_FOUR)

/* Offsets of a weight of each channel, and of four pixels. */
#define STEP(w, x0, x1, x2, x3) DIMMER_FOUR_STEP("lw", DIMMER_FOUR_PRODUCTS, w, x0, x1, x2, x3)

/* Assembly, because 16 sums with all else take 28 registers, and a compiler spills: 166 instructions for 64
 * products. a0, a3, a4, a5: weights of four channels, a1: pixels, a2: end of a0. */
DIMMER_ASSEMBLY void dimmer_panel_four(const int32_t *weights DIMMER_REGISTER,
                                       const int32_t *pixels DIMMER_REGISTER,
                                       const int32_t *end DIMMER_REGISTER, int32_t *sums DIMMER_REGISTER) {
    __asm__ volatile(DIMMER_SUMS_SAVE
                     "sub t0, a2, a0\n\t"
                     "add a3, a0, t0\n\t"
                     "add a4, a3, t0\n\t"
                     "add a5, a4, t0\n\t" DIMMER_SUMS_CLEAR "1:\n\t" STEP("0", "0", "4", "8", "12")
                         STEP("4", "16", "20", "24", "28") STEP("8", "32", "36", "40", "44")
                             STEP("12", "48", "52", "56", "60") "addi a0, a0, 16\n\t"
                                                                "addi a3, a3, 16\n\t"
                                                                "addi a4, a4, 16\n\t"
                                                                "addi a5, a5, 16\n\t"
                                                                "addi a1, a1, 64\n\t"
                                                                "bne a0, a2, 1b\n\t" DIMMER_SUMS_STORE);
}

#endif
