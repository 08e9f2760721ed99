/* SPDX-License-Identifier: Apache-2.0 */
#include "winograd.h"
#include "../common/assembly.h"
#include "four_riscv.h"

#if defined(DIMMER_PANEL_HAS_FOUR)

/* Offsets of a weight of each channel, and of four pixels. */
#define STEP(w, x0, x1, x2, x3) DIMMER_FOUR_STEP("lh", DIMMER_FOUR_PRODUCTS, w, x0, x1, x2, x3)

/* Assembly for the reason given in panel_riscv.c, which this is with halves for words. */
DIMMER_ASSEMBLY void dimmer_panel_halves_four(const int16_t *weights DIMMER_REGISTER,
                                              const int16_t *pixels DIMMER_REGISTER,
                                              const int16_t *end DIMMER_REGISTER,
                                              int32_t *sums DIMMER_REGISTER, uint32_t step DIMMER_REGISTER) {
    __asm__ volatile(DIMMER_SUMS_SAVE
                     "mv t0, a4\n\t"
                     "add a3, a0, t0\n\t"
                     "add a4, a3, t0\n\t"
                     "add a5, a4, t0\n\t" DIMMER_SUMS_CLEAR "1:\n\t" STEP("0", "0", "2", "4", "6")
                         STEP("2", "8", "10", "12", "14") STEP("4", "16", "18", "20", "22")
                             STEP("6", "24", "26", "28", "30") "addi a0, a0, 8\n\t"
                                                               "addi a3, a3, 8\n\t"
                                                               "addi a4, a4, 8\n\t"
                                                               "addi a5, a5, 8\n\t"
                                                               "addi a1, a1, 32\n\t"
                                                               "bne a0, a2, 1b\n\t" DIMMER_SUMS_STORE);
}

#endif
