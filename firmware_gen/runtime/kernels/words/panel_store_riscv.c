/* SPDX-License-Identifier: Apache-2.0 */
#include "panel.h"
#include "../common/assembly.h"

#if defined(DIMMER_PANEL_HAS_FOUR)

/* A sum, rescaled and clamped, to where `to` points. t4, t5, t6, a5: bias, multiplier, start, shift; a4: 255. */
#define STORE(at, to, stored, beyond)                                                                        \
    "lw a6, " at "(a0)\n\t"                                                                                  \
    "slli a6, a6, 1\n\t"                                                                                     \
    "add a6, a6, t4\n\t"                                                                                     \
    "mulh a7, a6, t5\n\t"                                                                                    \
    "mul a2, a6, t5\n\t"                                                                                     \
    "srli a2, a2, 31\n\t"                                                                                    \
    "srai a6, a6, 31\n\t"                                                                                    \
    "add a7, a7, a2\n\t"                                                                                     \
    "add a7, a7, t6\n\t"                                                                                     \
    "add a7, a7, a6\n\t"                                                                                     \
    "sra a7, a7, a5\n\t"                                                                                     \
    "addi a6, a7, 128\n\t"                                                                                   \
    "bltu a4, a6, " beyond "f\n"                                                                             \
    stored ":\n\t"                                                                                           \
    "sb a7, 0(" to ")\n\t"                                                                                   \
    "addi " to ", " to ", 1\n\t"
/* Where the value is beyond a code. */
#define BEYOND(stored, beyond)                                                                               \
    beyond ":\n\t"                                                                                           \
           "srai a7, a7, 31\n\t"                                                                             \
           "xori a7, a7, 127\n\t"                                                                            \
           "j " stored "b\n\t"

/* Assembly, because a compiler narrows what is stored as a byte already: 71 instructions for the four pixels of a
 * channel. t0: the end of rescales, a3, t1, t2, t3: outputs. */
DIMMER_ASSEMBLY void dimmer_panel_store_four(const int32_t *sums DIMMER_REGISTER,
                                             const dimmer_rescale_t *rescales DIMMER_REGISTER,
                                             uint32_t group DIMMER_REGISTER, int8_t *output DIMMER_REGISTER,
                                             uint32_t channels DIMMER_REGISTER) {
    __asm__ volatile("slli a2, a2, 4\n\t"
                     "add t0, a1, a2\n\t"
                     "add t1, a3, a4\n\t"
                     "add t2, t1, a4\n\t"
                     "add t3, t2, a4\n\t"
                     "li a4, 255\n"
                     "1:\n\t"
                     "lw t4, 0(a1)\n\t"
                     "lw t5, 4(a1)\n\t"
                     "lw t6, 8(a1)\n\t"
                     "lw a5, 12(a1)\n\t"
                     "addi a1, a1, 16\n\t" STORE("0", "a3", "11", "21") STORE("4", "t1", "12", "22")
                         STORE("8", "t2", "13", "23") STORE("12", "t3", "14", "24") "addi a0, a0, 16\n\t"
                                                                                  "bne a1, t0, 1b\n\t"
                                                                                  "ret\n\t" BEYOND("11", "21")
                             BEYOND("12", "22") BEYOND("13", "23") BEYOND("14", "24"));
}

#endif
