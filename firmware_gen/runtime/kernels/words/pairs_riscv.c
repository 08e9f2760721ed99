/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"
#include "../common/assembly.h"
#include "four_riscv.h"

#if defined(DIMMER_PANEL_HAS_FOUR)

/* The two products of the weights w and the pixel x, added to a sum: a macro of the assembler's, since the
 * whole text would be longer than the 4,095 characters that C99 promises of a string. */
#define PRODUCT_MACRO                                                                                        \
    ".macro product w, x, product, sum\n\t"                                                                  \
    "mul \\product, \\w, \\x\n\t"                                                                            \
    "add \\product, \\product, a2\n\t"                                                                       \
    "srai \\product, \\product, 16\n\t"                                                                      \
    "add \\sum, \\sum, \\product\n\t"                                                                        \
    ".endm\n\t"
#define PRODUCT(w, x, product, sum) "product " w ", " x ", " product ", " sum "\n\t"
/* Those of four pixels; `next` loads the next weights to `free`, so early that nothing waits for them. */
#define PRODUCTS(w, free, next, s0, s1, s2, s3)                                                              \
    PRODUCT(w, "a6", free, s0)                                                                               \
    PRODUCT(w, "a7", free, s1)                                                                               \
    PRODUCT(w, "t0", free, s2)                                                                               \
    "mul " w ", " w ", t1\n\t" next "add " w ", " w ", a2\n\t"                                               \
    "srai " w ", " w ", 16\n\t"                                                                              \
    "add " s3 ", " s3 ", " w "\n\t"

/* Offsets of a weight of each channel, and of four pixels. */
#define STEP(w, x0, x1, x2, x3) DIMMER_FOUR_STEP("lw", PRODUCTS, w, x0, x1, x2, x3)

/* Assembly for the reason given in panel_riscv.c: 295 instructions for 128 products. a0, a3, a4, a5: weights
 * of four channels, a1: pixels, a2: 2^15. On the stack: 56 the end of a0, 52 sums. */
DIMMER_ASSEMBLY void dimmer_pairs_four(const int32_t *weights DIMMER_REGISTER,
                                       const int32_t *pixels DIMMER_REGISTER,
                                       const int32_t *end DIMMER_REGISTER, int32_t *sums DIMMER_REGISTER) {
    __asm__ volatile(PRODUCT_MACRO DIMMER_SUMS_SAVE
                     "sw a2, 56(sp)\n\t"
                     "sub t0, a2, a0\n\t"
                     "add a3, a0, t0\n\t"
                     "add a4, a3, t0\n\t"
                     "add a5, a4, t0\n\t"
                     "lui a2, 8\n\t" DIMMER_SUMS_CLEAR "1:\n\t" STEP("0", "0", "4", "8", "12")
                         STEP("4", "16", "20", "24", "28") STEP("8", "32", "36", "40", "44")
                             STEP("12", "48", "52", "56", "60") "lw t2, 56(sp)\n\t"
                                                                "addi a0, a0, 16\n\t"
                                                                "addi a3, a3, 16\n\t"
                                                                "addi a4, a4, 16\n\t"
                                                                "addi a5, a5, 16\n\t"
                                                                "addi a1, a1, 64\n\t"
                                                                "bne a0, t2, 1b\n\t" DIMMER_SUMS_STORE
                                                                "\n\t.purgem product\n\t");
}

#endif
