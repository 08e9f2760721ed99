/* SPDX-License-Identifier: Apache-2.0 */
#include "depthwise.h"
#include "../common/assembly.h"

#if defined(DIMMER_PANEL_HAS_FOUR)

/* The next column of inputs to t3, t4, t5. a1, a2, a3: rows, a4: step. */
#define COLUMN                                                                                               \
    "lb t3, 0(a1)\n\t"                                                                                       \
    "lb t4, 0(a2)\n\t"                                                                                       \
    "lb t5, 0(a3)\n\t"                                                                                       \
    "add a1, a1, a4\n\t"                                                                                     \
    "add a2, a2, a4\n\t"                                                                                     \
    "add a3, a3, a4\n\t"
/* A column of weights times these, added to a sum. */
#define PRODUCTS(to, from, w0, w1, w2)                                                                       \
    "mul t6, " w0 ", t3\n\t"                                                                                 \
    "add " to ", " from ", t6\n\t"                                                                           \
    "mul t6, " w1 ", t4\n\t"                                                                                 \
    "add " to ", " to ", t6\n\t"                                                                             \
    "mul t6, " w2 ", t5\n\t"                                                                                 \
    "add " to ", " to ", t6\n\t"
#define LEFT(to)         PRODUCTS(to, "s9", "s0", "s3", "s6")
#define MIDDLE(to, from) PRODUCTS(to, from, "s1", "s4", "s7")
#define RIGHT(to)        PRODUCTS(to, to, "s2", "s5", "s8")

/* dimmer_rescale of t1, four times the sum, clamped, to a5. The upper word of its product with the multiplier
 * is twice the one that is rounded: no carry from the lower word is needed. a6: multiplier, a7: twice start
 * and 1, t0: shift and 1, a0: 255. */
#define STORE                                                                                                \
    "mulh t6, t1, a6\n\t"                                                                                    \
    "srai t1, t1, 31\n\t"                                                                                    \
    "slli t1, t1, 1\n\t"                                                                                     \
    "add t1, t1, a7\n\t"                                                                                     \
    "add t6, t6, t1\n\t"                                                                                     \
    "sra t6, t6, t0\n\t"                                                                                     \
    "addi ra, t6, 128\n\t"                                                                                   \
    "bltu a0, ra, 8f\n"                                                                                      \
    "7:\n\t"                                                                                                 \
    "sb t6, 0(a5)\n\t"                                                                                       \
    "add a5, a5, a4\n\t"
/* Where the value is beyond a code. */
#define BEYOND                                                                                               \
    "8:\n\t"                                                                                                 \
    "srai t6, t6, 31\n\t"                                                                                    \
    "xori t6, t6, 127\n\t"                                                                                   \
    "j 7b\n\t"

/* On the stack: 52, 56, 60 rows, 64 the output, 68 bytes of a row of outputs, 72 the channel. s11: its
 * numbers, s10: the end of its outputs, s9: its bias, s0 to s8: weights. */
#define ENTER                                                                                                \
    "addi sp, sp, -96\n\t"                                                                                   \
    "sw s0, 0(sp)\n\t"                                                                                       \
    "sw s1, 4(sp)\n\t"                                                                                       \
    "sw s2, 8(sp)\n\t"                                                                                       \
    "sw s3, 12(sp)\n\t"                                                                                      \
    "sw s4, 16(sp)\n\t"                                                                                      \
    "sw s5, 20(sp)\n\t"                                                                                      \
    "sw s6, 24(sp)\n\t"                                                                                      \
    "sw s7, 28(sp)\n\t"                                                                                      \
    "sw s8, 32(sp)\n\t"                                                                                      \
    "sw s9, 36(sp)\n\t"                                                                                      \
    "sw s10, 40(sp)\n\t"                                                                                     \
    "sw s11, 44(sp)\n\t"                                                                                     \
    "sw ra, 48(sp)\n\t"                                                                                      \
    "lw t0, 0(a0)\n\t"                                                                                       \
    "lw t1, 4(a0)\n\t"                                                                                       \
    "lw t2, 8(a0)\n\t"                                                                                       \
    "lw a4, 12(a0)\n\t"                                                                                      \
    "lw s11, 16(a0)\n\t"                                                                                     \
    "lw t3, 20(a0)\n\t"                                                                                      \
    "lw t4, 24(a0)\n\t"                                                                                      \
    "mul t4, t4, a4\n\t"                                                                                     \
    "sw t0, 52(sp)\n\t"                                                                                      \
    "sw t1, 56(sp)\n\t"                                                                                      \
    "sw t2, 60(sp)\n\t"                                                                                      \
    "sw t3, 64(sp)\n\t"                                                                                      \
    "sw t4, 68(sp)\n\t"                                                                                      \
    "sw zero, 72(sp)\n\t"                                                                                    \
    "li a0, 255\n"
#define CHANNEL                                                                                              \
    "lw s9, 0(s11)\n\t"                                                                                      \
    "lw s0, 4(s11)\n\t"                                                                                      \
    "lw s1, 8(s11)\n\t"                                                                                      \
    "lw s2, 12(s11)\n\t"                                                                                     \
    "lw s3, 16(s11)\n\t"                                                                                     \
    "lw s4, 20(s11)\n\t"                                                                                     \
    "lw s5, 24(s11)\n\t"                                                                                     \
    "lw s6, 28(s11)\n\t"                                                                                     \
    "lw s7, 32(s11)\n\t"                                                                                     \
    "lw s8, 36(s11)\n\t"                                                                                     \
    "lw a6, 44(s11)\n\t"                                                                                     \
    "lw a7, 48(s11)\n\t"                                                                                     \
    "lw t0, 52(s11)\n\t"                                                                                     \
    "slli a7, a7, 1\n\t"                                                                                     \
    "addi a7, a7, 1\n\t"                                                                                     \
    "addi t0, t0, 1\n\t"                                                                                     \
    "addi s11, s11, 56\n\t"                                                                                  \
    "lw a1, 52(sp)\n\t"                                                                                      \
    "lw a2, 56(sp)\n\t"                                                                                      \
    "lw a3, 60(sp)\n\t"                                                                                      \
    "lw a5, 64(sp)\n\t"                                                                                      \
    "lw s10, 68(sp)\n\t"                                                                                     \
    "lw t6, 72(sp)\n\t"                                                                                      \
    "add a1, a1, t6\n\t"                                                                                     \
    "add a2, a2, t6\n\t"                                                                                     \
    "add a3, a3, t6\n\t"                                                                                     \
    "add a5, a5, t6\n\t"                                                                                     \
    "add s10, s10, a5\n\t"                                                                                   \
    "addi t6, t6, 1\n\t"                                                                                     \
    "sw t6, 72(sp)\n\t"
#define LEAVE                                                                                                \
    "lw t6, 72(sp)\n\t"                                                                                      \
    "bne t6, a4, 1b\n\t"                                                                                     \
    "lw s0, 0(sp)\n\t"                                                                                       \
    "lw s1, 4(sp)\n\t"                                                                                       \
    "lw s2, 8(sp)\n\t"                                                                                       \
    "lw s3, 12(sp)\n\t"                                                                                      \
    "lw s4, 16(sp)\n\t"                                                                                      \
    "lw s5, 20(sp)\n\t"                                                                                      \
    "lw s6, 24(sp)\n\t"                                                                                      \
    "lw s7, 28(sp)\n\t"                                                                                      \
    "lw s8, 32(sp)\n\t"                                                                                      \
    "lw s9, 36(sp)\n\t"                                                                                      \
    "lw s10, 40(sp)\n\t"                                                                                     \
    "lw s11, 44(sp)\n\t"                                                                                     \
    "lw ra, 48(sp)\n\t"                                                                                      \
    "addi sp, sp, 96\n\t"                                                                                    \
    "ret\n\t"

/* Assembly, because all that a row of a channel needs takes 28 registers, and a compiler spills: 37
 * instructions for an output. t1: the sum of the next output, t2: of the one after it. */
DIMMER_ASSEMBLY void dimmer_depthwise_near(const dimmer_depthwise_run_t *run DIMMER_REGISTER) {
    __asm__ volatile(ENTER "1:\n\t" CHANNEL COLUMN LEFT("t1") COLUMN MIDDLE("t1", "t1")
                         LEFT("t2") "2:\n\t" COLUMN RIGHT("t1") STORE MIDDLE("t1", "t2")
                             LEFT("t2") "bne a5, s10, 2b\n\t" LEAVE BEYOND);
}

DIMMER_ASSEMBLY void dimmer_depthwise_apart(const dimmer_depthwise_run_t *run DIMMER_REGISTER) {
    __asm__ volatile(ENTER "1:\n\t" CHANNEL COLUMN LEFT("t1") "2:\n\t" COLUMN MIDDLE("t1", "t1")
                         COLUMN RIGHT("t1") STORE LEFT("t1") "bne a5, s10, 2b\n\t" LEAVE BEYOND);
}

#endif
