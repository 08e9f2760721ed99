/* SPDX-License-Identifier: Apache-2.0 */
#include "winograd.h"
#include "../common/assembly.h"

#if defined(DIMMER_PANEL_HAS_FOUR)

/* The weight w times the four pixels, added to four sums; `next` loads the next weight to `free`, so early
 * that nothing waits for it. */
#define PRODUCTS(w, free, next, s0, s1, s2, s3)                                                              \
    "mul " free ", " w ", a6\n\t"                                                                            \
    "add " s0 ", " s0 ", " free "\n\t"                                                                       \
    "mul " free ", " w ", a7\n\t"                                                                            \
    "add " s1 ", " s1 ", " free "\n\t"                                                                       \
    "mul " free ", " w ", t0\n\t"                                                                            \
    "add " s2 ", " s2 ", " free "\n\t"                                                                       \
    "mul " w ", " w ", t1\n\t" next "add " s3 ", " s3 ", " w "\n\t"

/* Offsets of a weight of each channel, and of four pixels. */
#define STEP(w, x0, x1, x2, x3)                                                                              \
    "lh t2, " w "(a0)\n\t"                                                                                   \
    "lh a6, " x0 "(a1)\n\t"                                                                                  \
    "lh a7, " x1 "(a1)\n\t"                                                                                  \
    "lh t0, " x2 "(a1)\n\t"                                                                                  \
    "lh t1, " x3 "(a1)\n\t" PRODUCTS("t2", "ra", "lh ra, " w "(a3)\n\t", "s0", "s1", "s2", "s3")             \
        PRODUCTS("ra", "t2", "lh t2, " w "(a4)\n\t", "s4", "s5", "s6", "s7")                                 \
            PRODUCTS("t2", "ra", "lh ra, " w "(a5)\n\t", "s8", "s9", "s10", "s11")                           \
                PRODUCTS("ra", "t2", "", "t3", "t4", "t5", "t6")

/* Assembly for the reason given in panel_riscv.c, which this is with halves for words. */
DIMMER_ASSEMBLY void dimmer_panel_halves_four(const int16_t *weights DIMMER_REGISTER,
                                              const int16_t *pixels DIMMER_REGISTER,
                                              const int16_t *end DIMMER_REGISTER,
                                              int32_t *sums DIMMER_REGISTER, uint32_t step DIMMER_REGISTER) {
    __asm__ volatile("addi sp, sp, -64\n\t"
                     "sw s0, 0(sp)\n\t"
                     "sw s1, 4(sp)\n\t"
                     "sw s2, 8(sp)\n\t"
                     "sw s3, 12(sp)\n\t"
                     "sw s4, 16(sp)\n\t"
                     "sw s5, 20(sp)\n\t"
                     "sw s6, 24(sp)\n\t"
                     "sw s7, 28(sp)\n\t"
                     "sw s8, 32(sp)\n\t"
                     "sw s9, 36(sp)\n\t"
                     "sw s10, 40(sp)\n\t"
                     "sw s11, 44(sp)\n\t"
                     "sw ra, 48(sp)\n\t"
                     "sw a3, 52(sp)\n\t"
                     "mv t0, a4\n\t"
                     "add a3, a0, t0\n\t"
                     "add a4, a3, t0\n\t"
                     "add a5, a4, t0\n\t"
                     "li s0, 0\n\t"
                     "li s1, 0\n\t"
                     "li s2, 0\n\t"
                     "li s3, 0\n\t"
                     "li s4, 0\n\t"
                     "li s5, 0\n\t"
                     "li s6, 0\n\t"
                     "li s7, 0\n\t"
                     "li s8, 0\n\t"
                     "li s9, 0\n\t"
                     "li s10, 0\n\t"
                     "li s11, 0\n\t"
                     "li t3, 0\n\t"
                     "li t4, 0\n\t"
                     "li t5, 0\n\t"
                     "li t6, 0\n"
                     "1:\n\t" STEP("0", "0", "2", "4", "6") STEP("2", "8", "10", "12", "14")
                         STEP("4", "16", "18", "20", "22")
                             STEP("6", "24", "26", "28", "30") "addi a0, a0, 8\n\t"
                                                               "addi a3, a3, 8\n\t"
                                                               "addi a4, a4, 8\n\t"
                                                               "addi a5, a5, 8\n\t"
                                                               "addi a1, a1, 32\n\t"
                                                               "bne a0, a2, 1b\n\t"
                                                               "lw a3, 52(sp)\n\t"
                                                               "sw s0, 0(a3)\n\t"
                                                               "sw s1, 4(a3)\n\t"
                                                               "sw s2, 8(a3)\n\t"
                                                               "sw s3, 12(a3)\n\t"
                                                               "sw s4, 16(a3)\n\t"
                                                               "sw s5, 20(a3)\n\t"
                                                               "sw s6, 24(a3)\n\t"
                                                               "sw s7, 28(a3)\n\t"
                                                               "sw s8, 32(a3)\n\t"
                                                               "sw s9, 36(a3)\n\t"
                                                               "sw s10, 40(a3)\n\t"
                                                               "sw s11, 44(a3)\n\t"
                                                               "sw t3, 48(a3)\n\t"
                                                               "sw t4, 52(a3)\n\t"
                                                               "sw t5, 56(a3)\n\t"
                                                               "sw t6, 60(a3)\n\t"
                                                               "lw s0, 0(sp)\n\t"
                                                               "lw s1, 4(sp)\n\t"
                                                               "lw s2, 8(sp)\n\t"
                                                               "lw s3, 12(sp)\n\t"
                                                               "lw s4, 16(sp)\n\t"
                                                               "lw s5, 20(sp)\n\t"
                                                               "lw s6, 24(sp)\n\t"
                                                               "lw s7, 28(sp)\n\t"
                                                               "lw s8, 32(sp)\n\t"
                                                               "lw s9, 36(sp)\n\t"
                                                               "lw s10, 40(sp)\n\t"
                                                               "lw s11, 44(sp)\n\t"
                                                               "lw ra, 48(sp)\n\t"
                                                               "addi sp, sp, 64\n\t"
                                                               "ret");
}

#endif
