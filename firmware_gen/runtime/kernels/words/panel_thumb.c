/* SPDX-License-Identifier: Apache-2.0 */
#include "panel.h"
#include "../common/assembly.h"
#include "frame_thumb.h"

#if defined(__thumb__)

/* Assembly, because a compiler neither loads several words in one instruction nor keeps the sums in those
 * registers that the loads leave free. The loops are entered in the middle where length is no multiple of a
 * turn. */

#if defined(__thumb2__)

/* r0, r1: weights, pixels. r2, r3, r12, lr: sums. 21 instructions for 16 products, each of 4 bytes. */
#define STEP(w)                                                                                              \
    "ldmia.w r1!, {r4, r5, r6, r7}\n\t"                                                                      \
    "mla r2, " w ", r4, r2\n\t"                                                                              \
    "mla r3, " w ", r5, r3\n\t"                                                                              \
    "mla r12, " w ", r6, r12\n\t"                                                                            \
    "mla lr, " w ", r7, lr\n\t"
#define FOUR_STEPS "ldmia.w r0!, {r8, r9, r10, r11}\n\t" STEP("r8") STEP("r9") STEP("r10") STEP("r11")

/* On the stack: 0 the end of this plane's weights, 4 the place to enter the loop, 8 bytes of a plane's
 * weights, 12 the end of all weights, 16 bytes from the end of a plane's pixels to the next plane's, 20 sums;
 * 60 and 64 these two as they came. */
DIMMER_ASSEMBLY void dimmer_panel(const int32_t *weights DIMMER_REGISTER,
                                  const int32_t *pixels DIMMER_REGISTER, uint32_t planes DIMMER_REGISTER,
                                  uint32_t length DIMMER_REGISTER, int32_t *sums DIMMER_REGISTER,
                                  uint32_t step DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "sub sp, #24\n\t"
                     "ldr r4, [sp, #60]\n\t"
                     "str r4, [sp, #20]\n\t"
                     "ldr r4, [sp, #64]\n\t"
                     "sub r4, r4, r3, lsl #2\n\t"
                     "lsl r4, r4, #2\n\t"
                     "str r4, [sp, #16]\n\t"
                     "lsl r6, r3, #2\n\t"
                     "mla r7, r2, r6, r0\n\t"
                     "add r4, r0, r6\n\t"
                     "lsr r5, r3, #2\n\t"
                     "rsb r5, r5, #0\n\t"
                     "and r5, r5, #3\n\t"
                     "mov r8, #84\n\t"
                     "mul r5, r5, r8\n\t"
                     "adr.w r8, 1f\n\t"
                     "add r5, r8\n\t"
                     "orr r5, r5, #1\n\t"
                     "stmia sp, {r4, r5, r6, r7}\n"
                     "2:\n\t"
                     "mov r2, #0\n\t"
                     "mov r3, #0\n\t"
                     "mov r12, #0\n\t"
                     "mov lr, #0\n\t"
                     "bx r5\n\t"
                     ".balign 4\n"
                     "1:\n\t" FOUR_STEPS FOUR_STEPS FOUR_STEPS FOUR_STEPS "ldr r8, [sp]\n\t"
                     "cmp r0, r8\n\t"
                     "bne 1b\n\t"
                     "ldmia sp, {r4, r5, r6, r7, r9, r10}\n\t"
                     "stmia r10!, {r2, r3, r12, lr}\n\t"
                     "str r10, [sp, #20]\n\t"
                     "add r1, r9\n\t"
                     "add r6, r8\n\t"
                     "str r6, [sp]\n\t"
                     "cmp r8, r7\n\t"
                     "bne 2b\n\t"
                     "add sp, #24\n\t"
                     "pop {r4-r11, pc}\n\t");
}

/* One of the sums r4..r7, already doubled and with its bias, to r8:lr. r9, r10, r11: multiplier, start,
 * shift. */
#define RESCALED(sum)                                                                                        \
    "mov r8, #0x80000000\n\t"                                                                                \
    "add lr, r10, " sum ", asr #31\n\t"                                                                      \
    "smlal r8, lr, " sum ", r9\n\t"                                                                          \
    "asr lr, lr, r11\n\t"                                                                                    \
    "ssat lr, #8, lr\n\t"

/* Assembly, because a compiler spills: 34 instructions for the four pixels of a channel. r2: the end of
 * rescales, r12: channels. */
DIMMER_ASSEMBLY void dimmer_panel_store_four(const int32_t *sums DIMMER_REGISTER,
                                             const dimmer_rescale_t *rescales DIMMER_REGISTER,
                                             uint32_t group DIMMER_REGISTER, int8_t *output DIMMER_REGISTER,
                                             uint32_t channels DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "ldr r12, [sp, #36]\n\t"
                     "add r2, r1, r2, lsl #4\n"
                     "1:\n\t"
                     "ldmia r0!, {r4, r5, r6, r7}\n\t"
                     "ldmia r1!, {r8, r9, r10, r11}\n\t"
                     "add r4, r8, r4, lsl #1\n\t"
                     "add r5, r8, r5, lsl #1\n\t"
                     "add r6, r8, r6, lsl #1\n\t"
                     "add r7, r8, r7, lsl #1\n\t" RESCALED("r4") "strb lr, [r3]\n\t" RESCALED(
                         "r5") "strb lr, [r3, r12]\n\t" RESCALED("r6") "strb lr, [r3, r12, lsl "
                                                                       "#1]\n\t" RESCALED("r7") "add r4, r3, "
                                                                                                "r12, lsl "
                                                                                                "#1\n\t"
                                                                                                "strb lr, "
                                                                                                "[r4, "
                                                                                                "r12]\n\t"
                                                                                                "adds r3, "
                                                                                                "#1\n\t"
                                                                                                "cmp r1, "
                                                                                                "r2\n\t"
                                                                                                "bne 1b\n\t"
                                                                                                "pop "
                                                                                                "{r4-r11, "
                                                                                                "pc}\n\t");
}

#else

/* r0, r1: weights, pixels. r8..r11: sums. 38 instructions for 16 products. */
#define STEP(w)                                                                                              \
    "ldmia r1!, {r3, r4, r5, r6}\n\t"                                                                        \
    "muls r3, " w ", r3\n\t"                                                                                 \
    "add r8, r3\n\t"                                                                                         \
    "muls r4, " w ", r4\n\t"                                                                                 \
    "add r9, r4\n\t"                                                                                         \
    "muls r5, " w ", r5\n\t"                                                                                 \
    "add r10, r5\n\t"                                                                                        \
    "muls r6, " w ", r6\n\t"                                                                                 \
    "add r11, r6\n\t"
#define TWO_STEPS  "ldmia r0!, {r2, r7}\n\t" STEP("r2") STEP("r7")
#define FOUR_STEPS TWO_STEPS TWO_STEPS

/* r12: the end of this plane's pixels. On the stack: 0 bytes of a plane's pixels, 4 the end of all pixels, 8
 * bit 2 of length; 48 sums. */
DIMMER_ASSEMBLY void dimmer_panel(const int32_t *weights DIMMER_REGISTER,
                                  const int32_t *pixels DIMMER_REGISTER, uint32_t planes DIMMER_REGISTER,
                                  uint32_t length DIMMER_REGISTER, int32_t *sums DIMMER_REGISTER,
                                  uint32_t step DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t" DIMMER_SAVE_ALL "sub sp, #12\n\t"
                     "lsls r4, r3, #2\n\t"
                     "ldr r5, [sp, #52]\n\t"
                     "subs r5, r5, r4\n\t"
                     "lsls r5, r5, #2\n\t"
                     "mov lr, r5\n\t"
                     "muls r2, r4, r2\n\t"
                     "adds r2, r2, r0\n\t"
                     "str r4, [sp]\n\t"
                     "str r2, [sp, #4]\n\t"
                     "movs r5, #4\n\t"
                     "ands r5, r3\n\t"
                     "str r5, [sp, #8]\n\t"
                     "mov r12, r0\n"
                     "1:\n\t"
                     "ldr r2, [sp]\n\t"
                     "add r12, r2\n\t"
                     "movs r2, #0\n\t"
                     "mov r8, r2\n\t"
                     "mov r9, r2\n\t"
                     "mov r10, r2\n\t"
                     "mov r11, r2\n\t"
                     "ldr r2, [sp, #8]\n\t"
                     "cmp r2, #0\n\t"
                     "bne 3f\n"
                     "2:\n\t" FOUR_STEPS "\n"
                     "3:\n\t" FOUR_STEPS "cmp r0, r12\n\t"
                     "bne 2b\n\t"
                     "ldr r2, [sp, #48]\n\t"
                     "mov r3, r8\n\t"
                     "mov r4, r9\n\t"
                     "mov r5, r10\n\t"
                     "mov r6, r11\n\t"
                     "stmia r2!, {r3, r4, r5, r6}\n\t"
                     "str r2, [sp, #48]\n\t"
                     "add r1, lr\n\t"
                     "ldr r2, [sp, #4]\n\t"
                     "cmp r0, r2\n\t"
                     "bne 1b\n\t"
                     "add sp, #12\n\t" DIMMER_RESTORE_ALL);
}

/* One pixel's sum to [r1], and r1 to the next pixel. r8, r9: the multiplier's halves, r10: start, r11: shift,
 * r12: channels, lr: bias; rescale.h says what is computed. */
#define STORE_PIXEL                                                                                          \
    "ldmia r0!, {r2}\n\t"                                                                                    \
    "adds r2, r2, r2\n\t"                                                                                    \
    "add r2, lr\n\t"                                                                                         \
    "asrs r3, r2, #31\n\t"                                                                                   \
    "add r3, r10\n\t"                                                                                        \
    "uxth r4, r2\n\t"                                                                                        \
    "asrs r2, r2, #16\n\t"                                                                                   \
    "mov r5, r8\n\t"                                                                                         \
    "mov r6, r4\n\t"                                                                                         \
    "muls r6, r5, r6\n\t"                                                                                    \
    "lsrs r6, r6, #16\n\t"                                                                                   \
    "muls r5, r2, r5\n\t"                                                                                    \
    "adds r5, r5, r6\n\t"                                                                                    \
    "mov r6, r9\n\t"                                                                                         \
    "muls r4, r6, r4\n\t"                                                                                    \
    "uxth r7, r5\n\t"                                                                                        \
    "adds r4, r4, r7\n\t"                                                                                    \
    "lsrs r4, r4, #15\n\t"                                                                                   \
    "adds r4, #1\n\t"                                                                                        \
    "lsrs r4, r4, #1\n\t"                                                                                    \
    "asrs r5, r5, #16\n\t"                                                                                   \
    "muls r2, r6, r2\n\t"                                                                                    \
    "adds r2, r2, r5\n\t"                                                                                    \
    "adds r2, r2, r4\n\t"                                                                                    \
    "adds r2, r2, r3\n\t"                                                                                    \
    "mov r3, r11\n\t"                                                                                        \
    "asrs r2, r3\n\t"                                                                                        \
    "sxtb r3, r2\n\t"                                                                                        \
    "cmp r3, r2\n\t"                                                                                         \
    "beq 4f\n\t"                                                                                             \
    "asrs r2, r2, #31\n\t"                                                                                   \
    "movs r3, #127\n\t"                                                                                      \
    "eors r3, r2\n"                                                                                          \
    "4:\n\t"                                                                                                 \
    "strb r3, [r1]\n\t"                                                                                      \
    "add r1, r12\n\t"

/* Assembly, because a compiler spills: 150 instructions for the four pixels of a channel. On the stack: 0
 * rescales, 4 their end, 8 the output; 48 channels. */
DIMMER_ASSEMBLY void dimmer_panel_store_four(const int32_t *sums DIMMER_REGISTER,
                                             const dimmer_rescale_t *rescales DIMMER_REGISTER,
                                             uint32_t group DIMMER_REGISTER, int8_t *output DIMMER_REGISTER,
                                             uint32_t channels DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t" DIMMER_SAVE_ALL "lsls r2, r2, #4\n\t"
                     "adds r2, r1, r2\n\t"
                     "push {r1, r2, r3}\n\t"
                     "ldr r4, [sp, #48]\n\t"
                     "mov r12, r4\n"
                     "1:\n\t"
                     "ldr r7, [sp]\n\t"
                     "ldmia r7!, {r2, r3, r4, r5}\n\t"
                     "str r7, [sp]\n\t"
                     "mov lr, r2\n\t"
                     "uxth r6, r3\n\t"
                     "mov r8, r6\n\t"
                     "lsrs r3, r3, #16\n\t"
                     "mov r9, r3\n\t"
                     "mov r10, r4\n\t"
                     "mov r11, r5\n\t"
                     "ldr r1, [sp, #8]\n\t"
                     "adds r2, r1, #1\n\t"
                     "str r2, [sp, #8]\n\t" STORE_PIXEL STORE_PIXEL STORE_PIXEL STORE_PIXEL "ldr r2, [sp]\n\t"
                     "ldr r3, [sp, #4]\n\t"
                     "cmp r2, r3\n\t"
                     "beq 2f\n\t"
                     "b 1b\n"
                     "2:\n\t"
                     "add sp, #12\n\t" DIMMER_RESTORE_ALL);
}

#endif

#endif
