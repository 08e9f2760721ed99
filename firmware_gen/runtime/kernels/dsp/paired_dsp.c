/* SPDX-License-Identifier: Apache-2.0 */
#include "paired.h"

#include "../common/assembly.h"

#if defined(__ARM_FEATURE_DSP)

/* The halfwords of four channels in r2 and r3 by those of two pixels in r12 and lr. */
#define EIGHT_PRODUCTS                                                                                       \
    "smlad r4, r2, r12, r4\n\t"                                                                              \
    "smlad r5, r2, lr, r5\n\t"                                                                               \
    "sxtb16 r2, r2\n\t"                                                                                      \
    "smlad r8, r3, r12, r8\n\t"                                                                              \
    "smlad r9, r3, lr, r9\n\t"                                                                               \
    "sxtb16 r3, r3\n\t"                                                                                      \
    "smlad r6, r2, r12, r6\n\t"                                                                              \
    "smlad r7, r2, lr, r7\n\t"                                                                               \
    "smlad r10, r3, r12, r10\n\t"                                                                            \
    "smlad r11, r3, lr, r11\n\t"

/* A step, two inputs: 56 bytes of code, entered in between. Neighbouring loads of one word take one cycle
 * each, those of many words one more. */
#define STEP_OF_TWO                                                                                          \
    "ldr r2, [r0], #4\n\t"                                                                                   \
    "ldr r3, [r0], #4\n\t"                                                                                   \
    "ldr r12, [r1], #4\n\t"                                                                                  \
    "ldr lr, [r1], #4\n\t" EIGHT_PRODUCTS
#define FOUR_STEPS STEP_OF_TWO STEP_OF_TWO STEP_OF_TWO STEP_OF_TWO

/* Four bytes of the one and of the other input. */
#define STORE_WIDENED(a, b)                                                                                  \
    "sxtb16 r8, " a "\n\t"                                                                                   \
    "sxtb16 r9, " b "\n\t"                                                                                   \
    "sxtb16 " a ", " a ", ror #8\n\t"                                                                        \
    "sxtb16 " b ", " b ", ror #8\n\t"                                                                        \
    "str r9, [r3, #4]\n\t"                                                                                   \
    "str " a ", [r3, #8]\n\t"                                                                                \
    "str " b ", [r3, #12]\n\t"                                                                               \
    "str r8, [r3], #16\n\t"

/* r2 words from r0 and from r1 on to r3; changes r2 and r4 to r9. Nothing behind the shift changes the flags.
 */
#define WIDEN(even, loop, end)                                                                               \
    "lsrs r2, r2, #1\n\t"                                                                                    \
    "bcc " even "f\n\t"                                                                                      \
    "ldr r6, [r0], #4\n\t"                                                                                   \
    "ldr r7, [r1], #4\n\t" STORE_WIDENED("r6", "r7") even                                                    \
        ":\n\t"                                                                                              \
        "beq " end "f\n" loop ":\n\t"                                                                        \
        "ldr r6, [r0], #4\n\t"                                                                               \
        "ldr r7, [r1], #4\n\t"                                                                               \
        "ldr r4, [r0], #4\n\t"                                                                               \
        "ldr r5, [r1], #4\n\t" STORE_WIDENED("r6", "r7") STORE_WIDENED("r4", "r5") "subs r2, #1\n\t"         \
                                                                                   "bne " loop "b\n" end     \
                                                                                   ":\n\t"

/* On the stack: *work, whose `entry` is where the inner loop is entered. */
#define BEGIN                                                                                                \
    "push {r4-r11, lr}\n\t"                                                                                  \
    "sub sp, sp, #68\n\t"                                                                                    \
    "ldmia.w r0!, {r2-r8}\n\t"                                                                               \
    "adr.w r9, 2f\n\t"                                                                                       \
    "add r4, r4, r9\n\t"                                                                                     \
    "stmia.w sp, {r2-r8}\n\t"                                                                                \
    "add r1, sp, #28\n\t"                                                                                    \
    "ldmia.w r0!, {r2-r9}\n\t"                                                                               \
    "stmia.w r1!, {r2-r9}\n\t"                                                                               \
    "ldrd r2, r3, [r0]\n\t"                                                                                  \
    "strd r2, r3, [r1]\n"                                                                                    \
    "6:\n\t"
#define WIDEN_TILE                                                                                           \
    "ldr r2, [sp, #44]\n\t"                                                                                  \
    "ldr r0, [sp, #36]\n\t"                                                                                  \
    "ldr r1, [sp, #40]\n\t"                                                                                  \
    "ldr r3, [sp, #4]\n\t"                                                                                   \
    "cmp r2, #0\n\t"                                                                                         \
    "beq 5f\n\t" WIDEN("3", "4", "8") "str r1, [sp, #36]\n\t"                                                \
                                      "sub r0, r1, r0\n\t"                                                   \
                                      "add r1, r1, r0\n\t"                                                   \
                                      "str r1, [sp, #40]\n"                                                  \
                                      "5:\n\t"
#define BLOCK(offset0, offset2, first, zero)                                                                 \
    "ldr r0, [sp, #28]\n\t"                                                                                  \
    "ldr r1, [sp, #32]\n"                                                                                    \
    "1:\n\t"                                                                                                 \
    "str r1, [sp]\n\t"                                                                                       \
    "ldr r4, [r1, #" offset0 "]\n\t"                                                                         \
    "ldr.w r8, [r1, #" offset2 "]\n\t" first "ldr r7, [sp, #64]\n\t"                                         \
    "ldr r2, [sp, #8]\n\t"                                                                                   \
    "ldr r1, [sp, #4]\n\t" zero "mov r5, r4\n\t"                                                             \
    "mov r9, r8\n\t"                                                                                         \
    "mov r10, r7\n\t"                                                                                        \
    "mov r11, r7\n\t"                                                                                        \
    "bx r2\n\t"                                                                                              \
    ".balign 4\n"                                                                                            \
    "2:\n\t"
/* The codes of the first pixel are in r4, of two channels, r8 and r10, those of the second one in r5, r9 and
 * r11; r12 is where the weights end. */
#define END(more)                                                                                            \
    "strb r8, [r6, #2]\n\t"                                                                                  \
    "strb r10, [r6, #3]\n\t"                                                                                 \
    "strh r4, [r6], #4\n\t"                                                                                  \
    "strb r9, [r7, #2]\n\t"                                                                                  \
    "strb r11, [r7, #3]\n\t"                                                                                 \
    "strh r5, [r7], #4\n\t"                                                                                  \
    "str r6, [sp, #20]\n\t"                                                                                  \
    "str r7, [sp, #24]\n\t"                                                                                  \
    "cmp r0, r12\n\t"                                                                                        \
    "bne.w 1b\n\t"                                                                                           \
    "ldr r2, [sp, #56]\n\t"                                                                                  \
    "ldr r3, [sp, #52]\n\t"                                                                                  \
    "ldr r4, [sp, #4]\n\t"                                                                                   \
    "ldr r1, [sp, #48]\n\t"                                                                                  \
    "add r6, r6, r2\n\t"                                                                                     \
    "add r7, r7, r2\n\t"                                                                                     \
    "add r4, r4, r3\n\t"                                                                                     \
    "str r6, [sp, #20]\n\t"                                                                                  \
    "str r7, [sp, #24]\n\t"                                                                                  \
    "str r4, [sp, #4]\n\t" more "subs r1, #1\n\t"                                                            \
    "str r1, [sp, #48]\n\t"                                                                                  \
    "bne.w 6b\n\t"                                                                                           \
    "add sp, sp, #68\n\t"                                                                                    \
    "pop {r4-r11, pc}\n\t"

#define CODE(sum) "ssat " sum ", #8, " sum ", asr #11\n\t"

/* Two channels of two pixels: multiplier of the first in r2, offset and multiplier of the second in r3 and
 * lr. */
#define RESCALE(both0, both1, second0, second1)                                                              \
    "sub.w " both0 ", " both0 ", " second0 "\n\t"                                                            \
    "sub.w " both1 ", " both1 ", " second1 "\n\t"                                                            \
    "add.w " second0 ", r3, " second0 ", lsl #8\n\t"                                                         \
    "add.w " second1 ", r3, " second1 ", lsl #8\n\t"                                                         \
    "smmul " both0 ", " both0 ", r2\n\t"                                                                     \
    "smmul " both1 ", " both1 ", r2\n\t"                                                                     \
    "smmul " second0 ", " second0 ", lr\n\t"                                                                 \
    "smmul " second1 ", " second1 ", lr\n\t" CODE(both0) CODE(both1) CODE(second0) CODE(second1)

/* `next` bytes from the last one to what is read next. */
#define PARAMETERS(next)                                                                                     \
    "ldr r2, [r1], #4\n\t"                                                                                   \
    "ldr r3, [r1], #4\n\t"                                                                                   \
    "ldr lr, [r1], #" next "\n\t"
/* The codes of two channels in r4 and r5, so that there is room for where they go. */
#define PACK_TWO                                                                                             \
    "bfi r4, r6, #8, #8\n\t"                                                                                 \
    "bfi r5, r7, #8, #8\n\t"
#define OUTPUTS                                                                                              \
    "ldr r6, [sp, #20]\n\t"                                                                                  \
    "ldr r7, [sp, #24]\n\t"

#define STEP(sum, step)                                                                                      \
    "and.w lr, " step ", " sum ", asr #31\n\t"                                                               \
    "sub.w " sum ", " sum ", lr\n\t"

/* Step and multiplier of the first, offset, step and multiplier of the second. */
#define RESCALE_SIGNED(both0, both1, second0, second1, next)                                                 \
    "ldr r2, [r1], #4\n\t"                                                                                   \
    "ldr r3, [r1], #4\n\t"                                                                                   \
    "sub.w " both0 ", " both0 ", " second0 "\n\t"                                                            \
    "sub.w " both1 ", " both1 ", " second1 "\n\t" STEP(both0, "r2")                                          \
        STEP(both1, "r2") "smmla " both0 ", " both0 ", r3, r12\n\t"                                          \
                          "smmla " both1 ", " both1 ", r3, r12\n\t"                                          \
                          "ldr r2, [r1], #4\n\t"                                                             \
                          "ldr r3, [r1], #4\n\t"                                                             \
                          "add.w " second0 ", r2, " second0 ", lsl #8\n\t"                                   \
                          "add.w " second1 ", r2, " second1 ", lsl #8\n\t"                                   \
                          "ldr r2, [r1], #" next "\n\t" STEP(second0, "r3")                                  \
                              STEP(second1, "r3") "smmla " second0 ", " second0 ", r2, r12\n\t"              \
                                                  "smmla " second1 ", " second1 ", r2, r12\n\t" CODE(both0)  \
                                                      CODE(both1) CODE(second0) CODE(second1)

/* Assembly, because the inner loop takes all 14 registers. C promises strings of 4095 characters only. */
DIMMER_ASSEMBLY void dimmer_paired_2x4(const dimmer_paired_t *work DIMMER_REGISTER) {
    __asm__ volatile(BEGIN WIDEN_TILE BLOCK("24", "28", "ldr r6, [sp, #60]\n\t", ""));
    __asm__ volatile(FOUR_STEPS FOUR_STEPS);
    __asm__ volatile(FOUR_STEPS FOUR_STEPS "subs.w r6, r6, #0x1000000\n\t"
                                           "bpl.w 2b\n\t");
    __asm__ volatile("ldr r1, [sp]\n\t"
                     "ldr r12, [sp, #12]\n\t" PARAMETERS("4") RESCALE("r4", "r5", "r6", "r7") PACK_TWO);
    __asm__ volatile(PARAMETERS("12") OUTPUTS RESCALE("r8", "r9", "r10", "r11"));
    __asm__ volatile(END(""));
}

DIMMER_ASSEMBLY void dimmer_paired_2x4_signed(const dimmer_paired_t *work DIMMER_REGISTER) {
    __asm__ volatile(BEGIN BLOCK("40", "44", "", "mov r6, r7\n\t"));
    __asm__ volatile(FOUR_STEPS "ldr r2, [sp, #60]\n\t"
                                "cmp r1, r2\n\t"
                                "bne.w 2b\n\t"
                                "ldr r1, [sp]\n\t"
                                "ldr r12, [sp, #16]\n\t");
    __asm__ volatile(RESCALE_SIGNED("r4", "r5", "r6", "r7", "4") PACK_TWO);
    __asm__ volatile(RESCALE_SIGNED("r8", "r9", "r10", "r11", "12") OUTPUTS "ldr r12, [sp, #12]\n\t");
    __asm__ volatile(END("ldr r5, [sp, #60]\n\t"
                         "add r5, r5, r3\n\t"
                         "str r5, [sp, #60]\n\t"));
}

/* On the stack: 0 words, 4 rest. r11 is from where a row's whole words end to the next row, r10 how many rows
 * are left. */
DIMMER_ASSEMBLY int32_t *dimmer_widen_rows(const int8_t *input0 DIMMER_REGISTER,
                                           const int8_t *input1 DIMMER_REGISTER,
                                           const dimmer_widen_t *work DIMMER_REGISTER,
                                           int32_t *to DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #12\n\t"
                     "ldmia.w r2, {r8-r11}\n\t"
                     "strd r8, r9, [sp]\n"
                     "1:\n\t"
                     "ldr r2, [sp]\n\t" WIDEN("2", "3", "4") "ldr r2, [sp, #4]\n\t"
                                                             "cmp r2, #0\n\t"
                                                             "beq 6f\n\t"
                                                             "ldr r6, [r0]\n\t"
                                                             "ldr r7, [r1]\n\t"
                                                             "sxtb16 r8, r6\n\t"
                                                             "sxtb16 r9, r7\n\t"
                                                             "str r8, [r3], #4\n\t"
                                                             "str r9, [r3], #4\n\t"
                                                             "cmp r2, #1\n\t"
                                                             "bhi 7f\n"
                                                             "6:\n\t"
                                                             "add r0, r0, r11\n\t"
                                                             "add r1, r1, r11\n\t"
                                                             "subs r10, #1\n\t"
                                                             "bne.w 1b\n\t"
                                                             "mov r0, r3\n\t"
                                                             "add sp, sp, #12\n\t"
                                                             "pop {r4-r11, pc}\n"
                                                             "7:\n\t"
                                                             "sxtb16 r6, r6, ror #8\n\t"
                                                             "sxtb16 r7, r7, ror #8\n\t"
                                                             "stmia r3!, {r6, r7}\n\t"
                                                             "b 6b");
}

#endif
