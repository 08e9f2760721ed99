/* SPDX-License-Identifier: Apache-2.0 */
#include "panel.h"
#include "../common/assembly.h"

#if defined(DIMMER_PANEL_HAS_FOUR)

/* The sum x, rescaled and clamped, to where `to` points; `next` loads the next one to `other`, so early that
 * nothing waits for it. The upper word of four times the sum times the multiplier is twice the one that is
 * rounded: no carry from the lower word is needed. t4: twice the doubled bias, t5: multiplier, t6: twice
 * start and 1, a5: shift and 1, a4: 255. */
#define STORE(x, other, next, to, stored, beyond)                                                            \
    "slli " x ", " x ", 2\n\t"                                                                               \
    "add " x ", " x ", t4\n\t"                                                                               \
    "mulh a7, " x ", t5\n\t"                                                                                 \
    "srai " x ", " x ", 31\n\t"                                                                              \
    "slli " x ", " x ", 1\n\t" next "add " x ", " x ", t6\n\t"                                               \
    "add a7, a7, " x "\n\t"                                                                                  \
    "sra a7, a7, a5\n\t"                                                                                     \
    "addi " x ", a7, 128\n\t"                                                                                \
    "bltu a4, " x ", " beyond "f\n" stored ":\n\t"                                                           \
    "sb a7, 0(" to ")\n\t"                                                                                   \
    "addi " to ", " to ", 1\n\t"
/* Where the value is beyond a code. */
#define BEYOND(stored, beyond)                                                                               \
    beyond ":\n\t"                                                                                           \
           "srai a7, a7, 31\n\t"                                                                             \
           "xori a7, a7, 127\n\t"                                                                            \
           "j " stored "b\n\t"

/* Assembly, because a compiler narrows what is stored as a byte already: 66 instructions for the four pixels
 * of a channel. t0: the end of rescales, a3, t1, t2, t3: outputs. */
DIMMER_ASSEMBLY void dimmer_panel_store_four(const int32_t *sums DIMMER_REGISTER,
                                             const dimmer_rescale_t *rescales DIMMER_REGISTER,
                                             uint32_t group DIMMER_REGISTER, int8_t *output DIMMER_REGISTER,
                                             uint32_t channels DIMMER_REGISTER) {
    __asm__ volatile(
        "slli a2, a2, 4\n\t"
        "add t0, a1, a2\n\t"
        "add t1, a3, a4\n\t"
        "add t2, t1, a4\n\t"
        "add t3, t2, a4\n\t"
        "li a4, 255\n"
        "1:\n\t"
        "lw a6, 0(a0)\n\t"
        "lw t4, 0(a1)\n\t"
        "lw t5, 4(a1)\n\t"
        "lw t6, 8(a1)\n\t"
        "lw a5, 12(a1)\n\t"
        "slli t4, t4, 1\n\t"
        "slli t6, t6, 1\n\t"
        "addi t6, t6, 1\n\t"
        "addi a5, a5, 1\n\t"
        "addi a1, a1, 16\n\t" STORE("a6", "a2", "lw a2, 4(a0)\n\t", "a3", "11", "21")
            STORE("a2", "a6", "lw a6, 8(a0)\n\t", "t1", "12", "22")
                STORE("a6", "a2", "lw a2, 12(a0)\n\t", "t2", "13", "23")
                    STORE("a2", "a6", "", "t3", "14", "24") "addi a0, a0, 16\n\t"
                                                            "bne a1, t0, 1b\n\t"
                                                            "ret\n\t" BEYOND("11", "21") BEYOND("12", "22")
                                                                BEYOND("13", "23") BEYOND("14", "24"));
}

#endif
