/* SPDX-License-Identifier: Apache-2.0 */
/* What the inner loops over four planes share in RISC-V assembly: 16 sums, those of four pixels of each
 * plane, stay in s0 to s11 and t3 to t6. */
#ifndef DIMMER_FOUR_RISCV_H
#define DIMMER_FOUR_RISCV_H

/* The weight w times the four pixels, added to four sums; `next` loads the next weight to `free`, so early
 * that nothing waits for it. */
#define DIMMER_FOUR_PRODUCTS(w, free, next, s0, s1, s2, s3)                                                  \
    "mul " free ", " w ", a6\n\t"                                                                            \
    "add " s0 ", " s0 ", " free "\n\t"                                                                       \
    "mul " free ", " w ", a7\n\t"                                                                            \
    "add " s1 ", " s1 ", " free "\n\t"                                                                       \
    "mul " free ", " w ", t0\n\t"                                                                            \
    "add " s2 ", " s2 ", " free "\n\t"                                                                       \
    "mul " w ", " w ", t1\n\t" next "add " s3 ", " s3 ", " w "\n\t"

/* A weight of each plane at the offset w from a0, a3, a4, a5 and four pixels at offsets from a1: what
 * PRODUCTS makes of them. */
#define DIMMER_FOUR_STEP(load, PRODUCTS, w, x0, x1, x2, x3)                                                  \
    load " t2, " w "(a0)\n\t" load " a6, " x0 "(a1)\n\t" load " a7, " x1 "(a1)\n\t" load " t0, " x2          \
         "(a1)\n\t" load " t1, " x3                                                                          \
         "(a1)\n\t" PRODUCTS("t2", "ra", load " ra, " w "(a3)\n\t", "s0", "s1", "s2", "s3")                  \
             PRODUCTS("ra", "t2", load " t2, " w "(a4)\n\t", "s4", "s5", "s6", "s7")                         \
                 PRODUCTS("t2", "ra", load " ra, " w "(a5)\n\t", "s8", "s9", "s10", "s11")                   \
                     PRODUCTS("ra", "t2", "", "t3", "t4", "t5", "t6")

/* The caller's registers and a3, where the sums go, to 64 bytes of stack, of which 56 to 63 are free. */
#define DIMMER_SUMS_SAVE                                                                                     \
    "addi sp, sp, -64\n\t"                                                                                   \
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
    "sw a3, 52(sp)\n\t"

#define DIMMER_SUMS_CLEAR                                                                                    \
    "li s0, 0\n\t"                                                                                           \
    "li s1, 0\n\t"                                                                                           \
    "li s2, 0\n\t"                                                                                           \
    "li s3, 0\n\t"                                                                                           \
    "li s4, 0\n\t"                                                                                           \
    "li s5, 0\n\t"                                                                                           \
    "li s6, 0\n\t"                                                                                           \
    "li s7, 0\n\t"                                                                                           \
    "li s8, 0\n\t"                                                                                           \
    "li s9, 0\n\t"                                                                                           \
    "li s10, 0\n\t"                                                                                          \
    "li s11, 0\n\t"                                                                                          \
    "li t3, 0\n\t"                                                                                           \
    "li t4, 0\n\t"                                                                                           \
    "li t5, 0\n\t"                                                                                           \
    "li t6, 0\n"

/* The sums to where a3 pointed, the caller's registers back, and the return. */
#define DIMMER_SUMS_STORE                                                                                    \
    "lw a3, 52(sp)\n\t"                                                                                      \
    "sw s0, 0(a3)\n\t"                                                                                       \
    "sw s1, 4(a3)\n\t"                                                                                       \
    "sw s2, 8(a3)\n\t"                                                                                       \
    "sw s3, 12(a3)\n\t"                                                                                      \
    "sw s4, 16(a3)\n\t"                                                                                      \
    "sw s5, 20(a3)\n\t"                                                                                      \
    "sw s6, 24(a3)\n\t"                                                                                      \
    "sw s7, 28(a3)\n\t"                                                                                      \
    "sw s8, 32(a3)\n\t"                                                                                      \
    "sw s9, 36(a3)\n\t"                                                                                      \
    "sw s10, 40(a3)\n\t"                                                                                     \
    "sw s11, 44(a3)\n\t"                                                                                     \
    "sw t3, 48(a3)\n\t"                                                                                      \
    "sw t4, 52(a3)\n\t"                                                                                      \
    "sw t5, 56(a3)\n\t"                                                                                      \
    "sw t6, 60(a3)\n\t"                                                                                      \
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
    "addi sp, sp, 64\n\t"                                                                                    \
    "ret"

#endif
