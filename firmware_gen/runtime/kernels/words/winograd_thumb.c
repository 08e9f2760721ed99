/* SPDX-License-Identifier: Apache-2.0 */
#include "winograd.h"
#include "../common/assembly.h"
#include "small_thumb.h"
#include "frame_thumb.h"

#if defined(__thumb__) && !defined(__thumb2__)

/* The transform back of winograd.c, of the words r0 points to, 16 bytes apart, to r3, r4, r5, r6. */
#define BACK                                                                                                 \
    "ldr r1, [r0, #16]\n\t"                                                                                  \
    "ldr r2, [r0, #32]\n\t"                                                                                  \
    "adds r3, r1, r2\n\t"                                                                                    \
    "subs r1, r1, r2\n\t"                                                                                    \
    "ldr r2, [r0, #48]\n\t"                                                                                  \
    "ldr r4, [r0, #64]\n\t"                                                                                  \
    "adds r5, r2, r4\n\t"                                                                                    \
    "subs r6, r2, r4\n\t"                                                                                    \
    "ldr r2, [r0]\n\t"                                                                                       \
    "adds r2, r2, r5\n\t"                                                                                    \
    "subs r5, r5, r3\n\t"                                                                                    \
    "lsls r5, r5, #2\n\t"                                                                                    \
    "lsls r3, r3, #2\n\t"                                                                                    \
    "subs r3, r2, r3\n\t"                                                                                    \
    "lsls r1, r1, #2\n\t"                                                                                    \
    "lsls r4, r6, #1\n\t"                                                                                    \
    "subs r4, r4, r1\n\t"                                                                                    \
    "ldr r2, [r0, #80]\n\t"                                                                                  \
    "adds r6, r6, r2\n\t"                                                                                    \
    "lsls r6, r6, #3\n\t"                                                                                    \
    "subs r6, r6, r1\n\t"

DIMMER_ASSEMBLY void dimmer_winograd_products(const int32_t *sums DIMMER_REGISTER,
                                              uint32_t *to DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r7, lr}\n\t"
                     "mov r12, r1\n\t"
                     "mov r7, r1\n\t"
                     "adds r1, #96\n\t"
                     "mov lr, r1\n"
                     "1:\n\t" BACK "stmia r7!, {r3, r4, r5, r6}\n\t"
                     "adds r0, #96\n\t"
                     "cmp r7, lr\n\t"
                     "bne 1b\n\t"
                     "mov r0, r12\n\t"
                     "adds r7, r0, #4\n\t"
                     "adds r7, #12\n"
                     "2:\n\t" BACK "str r3, [r0]\n\t"
                     "str r4, [r0, #16]\n\t"
                     "str r5, [r0, #32]\n\t"
                     "str r6, [r0, #48]\n\t"
                     "adds r0, #4\n\t"
                     "cmp r0, r7\n\t"
                     "bne 2b\n\t"
                     "pop {r4-r7, pc}\n\t");
}

/* r2 to 21 bits. */
#define SATURATED                                                                                            \
    "lsls r3, r2, #11\n\t"                                                                                   \
    "asrs r3, r3, #11\n\t"                                                                                   \
    "cmp r3, r2\n\t"                                                                                         \
    "beq 3f\n\t"                                                                                             \
    "asrs r2, r2, #31\n\t"                                                                                   \
    "movs r3, #1\n\t"                                                                                        \
    "lsls r3, r3, #20\n\t"                                                                                   \
    "subs r3, #1\n\t"                                                                                        \
    "eors r2, r3\n"                                                                                          \
    "3:\n\t"

/* r9: products, r10: bias, r11: the inverse of 9, r12: channels, lr: the end of a row of products. On the
 * stack: 0 next, 4 bytes of a row of products, 8 its end. */
DIMMER_ASSEMBLY void dimmer_winograd_store_small(const uint32_t *products DIMMER_REGISTER,
                                                 const dimmer_winograd_store_t *store DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t" DIMMER_SAVE_ALL "sub sp, #12\n\t"
                     "mov r9, r0\n\t"
                     "ldr r2, [r1, #20]\n\t"
                     "mov r10, r2\n\t"
                     "ldr r2, [r1, #24]\n\t"
                     "mov r12, r2\n\t"
                     "ldr r2, [r1, #28]\n\t"
                     "str r2, [sp]\n\t"
                     "ldr r2, [r1, #32]\n\t"
                     "mov r8, r2\n\t"
                     "ldr r2, [r1, #36]\n\t"
                     "lsls r2, r2, #2\n\t"
                     "str r2, [sp, #4]\n\t"
                     "ldr r2, [r1, #40]\n\t"
                     "lsls r2, r2, #4\n\t"
                     "adds r2, r2, r0\n\t"
                     "str r2, [sp, #8]\n\t"
                     "ldr r2, 5f\n\t"
                     "mov r11, r2\n\t"
                     "ldmia r1!, {r4, r5, r6}\n\t"
                     "ldr r0, [r1]\n\t"
                     "ldr r1, [r1, #4]\n"
                     "1:\n\t"
                     "ldr r2, [sp, #4]\n\t"
                     "mov lr, r9\n\t"
                     "add lr, r2\n"
                     "2:\n\t"
                     "mov r7, r9\n\t"
                     "ldmia r7!, {r2}\n\t"
                     "mov r9, r7\n\t"
                     "mov r3, r11\n\t"
                     "muls r2, r3, r2\n\t"
                     "asrs r2, r2, #6\n\t"
                     "add r2, r10\n\t" SATURATED DIMMER_STORE_SMALL "cmp r9, lr\n\t"
                     "bne 2b\n\t"
                     "ldr r2, [sp]\n\t"
                     "add r8, r2\n\t"
                     "ldr r2, [sp, #4]\n\t"
                     "movs r3, #16\n\t"
                     "subs r3, r3, r2\n\t"
                     "add r9, r3\n\t"
                     "ldr r2, [sp, #8]\n\t"
                     "cmp r9, r2\n\t"
                     "bne 1b\n\t"
                     "add sp, #12\n\t" DIMMER_RESTORE_ALL ".balign 4\n"
                     "5:\n\t"
                     ".word 0x38E38E39\n\t");
}

/* A column or row of inputs, x0 to x5 in r1 to r6, transformed as in winograd.c; r0 is free. */
#define INPUTS(to0, to1, to2, to3, to4, to5)                                                                 \
    "subs r1, r1, r3\n\t"                                                                                    \
    "lsls r1, r1, #2\n\t"                                                                                    \
    "subs r6, r6, r4\n\t"                                                                                    \
    "lsls r0, r3, #2\n\t"                                                                                    \
    "subs r3, r5, r3\n\t"                                                                                    \
    "subs r5, r5, r0\n\t"                                                                                    \
    "lsls r0, r2, #2\n\t"                                                                                    \
    "subs r2, r4, r2\n\t"                                                                                    \
    "subs r4, r4, r0\n\t"                                                                                    \
    "adds r1, r1, r3\n\t"                                                                                    \
    "str r1, " to0 "adds r0, r5, r4\n\t"                                                                     \
    "str r0, " to1 "subs r0, r5, r4\n\t"                                                                     \
    "str r0, " to2 "lsls r2, r2, #1\n\t"                                                                     \
    "adds r0, r3, r2\n\t"                                                                                    \
    "str r0, " to3 "subs r0, r3, r2\n\t"                                                                     \
    "str r0, " to4 "lsls r2, r2, #1\n\t"                                                                     \
    "subs r6, r6, r2\n\t"                                                                                    \
    "str r6, " to5
#define NEXT(x)                                                                                              \
    "add r7, r8\n\t"                                                                                         \
    "ldrsb " x ", [r0, r7]\n\t"
#define SPACE                                                                                                \
    "[r7]\n\t"                                                                                               \
    "add r7, r12\n\t"

/* r8: row, r9: the next column, r10: channels, r11: the next of the words on the stack, r12: bytes to the
 * next plane, lr: where the loop ends. On the stack: 0 a channel's words, 144 the end of from, 148 from, 152
 * to; 192 to as it came. */
DIMMER_ASSEMBLY void dimmer_winograd_input(const int8_t *from DIMMER_REGISTER, size_t row DIMMER_REGISTER,
                                           size_t channels DIMMER_REGISTER, size_t plane DIMMER_REGISTER,
                                           dimmer_winograd_word_t *to DIMMER_REGISTER) {
    __asm__ volatile(
        ".syntax unified\n\t" DIMMER_SAVE_ALL "ldr r4, [sp, #36]\n\t"
        "sub sp, #156\n\t"
        "mov r8, r1\n\t"
        "mov r10, r2\n\t"
        "lsls r3, r3, #4\n\t"
        "mov r12, r3\n\t"
        "adds r2, r2, r0\n\t"
        "str r2, [sp, #144]\n\t"
        "str r0, [sp, #148]\n\t"
        "str r4, [sp, #152]\n"
        "1:\n\t"
        "mov r9, r0\n\t"
        "mov r1, sp\n\t"
        "mov r11, r1\n\t"
        "adds r1, #24\n\t"
        "mov lr, r1\n"
        "2:\n\t"
        "mov r0, r9\n\t"
        "movs r7, #0\n\t"
        "ldrsb r1, [r0, r7]\n\t" NEXT("r2") NEXT("r3") NEXT("r4") NEXT("r5")
            NEXT("r6") "add r9, r10\n\t"
                       "mov r7, r11\n\t" INPUTS(
                           "[r7]\n\t", "[r7, #24]\n\t", "[r7, #48]\n\t", "[r7, #72]\n\t", "[r7, #96]\n\t",
                           "[r7, #120]\n\t") "adds r7, #4\n\t"
                                             "mov r11, r7\n\t"
                                             "cmp r7, lr\n\t"
                                             "bne 2b\n\t"
                                             "ldr r7, [sp, #152]\n\t"
                                             "mov r1, sp\n\t"
                                             "mov r11, r1\n\t"
                                             "adds r1, #144\n\t"
                                             "mov lr, r1\n"
                                             "3:\n\t"
                                             "mov r0, r11\n\t"
                                             "ldmia r0!, {r1, r2, r3, r4, r5, r6}\n\t"
                                             "mov r11, r0\n\t" INPUTS(
                                                 SPACE, SPACE, SPACE, SPACE, SPACE,
                                                 SPACE) "cmp r11, lr\n\t"
                                                        "bne 3b\n\t"
                                                        "ldr r1, [sp, #152]\n\t"
                                                        "adds r1, #16\n\t"
                                                        "str r1, [sp, #152]\n\t"
                                                        "ldr r0, [sp, #148]\n\t"
                                                        "adds r0, #1\n\t"
                                                        "str r0, [sp, #148]\n\t"
                                                        "ldr r1, [sp, #144]\n\t"
                                                        "cmp r0, r1\n\t"
                                                        "bne 1b\n\t"
                                                        "add sp, #156\n\t" DIMMER_RESTORE_ALL);
}

#elif defined(__thumb2__)

/* Assembly, because a compiler reads what all outputs share anew after every store: 18 instructions for an
 * output. r0: products, lr: the end of a row of them, r1: outputs, r2: channels, r3: the inverse of 9, r4:
 * bias, r5, r6, r7: the multiplier's parts, r8, r9: start, shift. On the stack: 0 next, 4 bytes of a row of
 * products, 8 the end of all. */
DIMMER_ASSEMBLY void dimmer_winograd_store_small(const uint32_t *products DIMMER_REGISTER,
                                                 const dimmer_winograd_store_t *store DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "sub sp, #12\n\t"
                     "mov lr, r1\n\t"
                     "ldr r2, [lr, #24]\n\t"
                     "ldr r10, [lr, #28]\n\t"
                     "ldr r11, [lr, #36]\n\t"
                     "ldr r12, [lr, #40]\n\t"
                     "lsl r11, r11, #2\n\t"
                     "add r12, r0, r12, lsl #4\n\t"
                     "stmia sp, {r10, r11, r12}\n\t"
                     "ldr r1, [lr, #32]\n\t"
                     "ldr r4, [lr, #20]\n\t"
                     "ldmia lr, {r5, r6, r7, r8, r9}\n\t"
                     "movw r3, #0x8E39\n\t"
                     "movt r3, #0x38E3\n"
                     "1:\n\t"
                     "ldr r11, [sp, #4]\n\t"
                     "add lr, r0, r11\n"
                     "2:\n\t"
                     "ldr r10, [r0], #4\n\t"
                     "mul r10, r10, r3\n\t"
                     "add r10, r4, r10, asr #6\n\t"
                     "ssat r10, #21, r10\n\t"
                     "mul r11, r10, r5\n\t"
                     "mul r12, r10, r6\n\t"
                     "add r12, r12, r11, asr #11\n\t"
                     "mul r11, r10, r7\n\t"
                     "add r11, r11, r12, asr #10\n\t"
                     "add r11, r11, r8\n\t"
                     "lsr r10, r10, #31\n\t"
                     "sub r11, r11, r10, lsl #10\n\t"
                     "asr r11, r11, r9\n\t"
                     "ssat r11, #8, r11\n\t"
                     "strb r11, [r1]\n\t"
                     "add r1, r1, r2\n\t"
                     "cmp r0, lr\n\t"
                     "bne 2b\n\t"
                     "ldr r10, [sp]\n\t"
                     "ldr r11, [sp, #4]\n\t"
                     "ldr r12, [sp, #8]\n\t"
                     "add r1, r1, r10\n\t"
                     "add r0, r0, #16\n\t"
                     "sub r0, r0, r11\n\t"
                     "cmp r0, r12\n\t"
                     "bne 1b\n\t"
                     "add sp, #12\n\t"
                     "pop {r4-r11, pc}\n\t");
}

#endif
