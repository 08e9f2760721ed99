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
    "sxtb16 r10, " a ", ror #8\n\t"                                                                          \
    "sxtb16 r11, " b ", ror #8\n\t"                                                                          \
    "stmia.w r3!, {r8-r11}\n\t"

/* r2 words from r0 and from r1 on to r3, at least one; changes r2, r6 to r12, lr. */
#define WIDEN(even, loop, end)                                                                               \
    "lsrs r2, r2, #1\n\t"                                                                                    \
    "bcc " even "f\n\t"                                                                                      \
    "ldr r6, [r0], #4\n\t"                                                                                   \
    "ldr r7, [r1], #4\n\t" STORE_WIDENED("r6", "r7") "cmp r2, #0\n\t"                                        \
                                                     "beq " end "f\n" even ":\n" loop ":\n\t"                \
                                                     "ldr r6, [r0], #4\n\t"                                  \
                                                     "ldr r7, [r1], #4\n\t"                                  \
                                                     "ldr r12, [r0], #4\n\t"                                 \
                                                     "ldr lr, [r1], #4\n\t" STORE_WIDENED("r6", "r7")        \
                                                         STORE_WIDENED("r12", "lr") "subs r2, #1\n\t"        \
                                                                                    "bne " loop "b\n" end    \
                                                                                    ":\n\t"

/* On the stack: 0 *work; 60 where the inner loop is entered. 2^turn steps make a turn; the first one begins
 * where as many are left as there are more than a multiple of it. */
#define BEGIN(turn, offset0, offset2)                                                                        \
    "push {r4-r11, lr}\n\t"                                                                                  \
    "sub sp, sp, #68\n\t"                                                                                    \
    "ldmia.w r0!, {r2-r8}\n\t"                                                                               \
    "stmia.w sp, {r2-r8}\n\t"                                                                                \
    "add r1, sp, #28\n\t"                                                                                    \
    "ldmia.w r0, {r5-r12}\n\t"                                                                               \
    "stmia.w r1, {r5-r12}\n\t"                                                                               \
    "subs r3, r3, r4\n\t"                                                                                    \
    "ubfx r3, r3, #3, #" turn "\n\t"                                                                         \
    "movs r4, #56\n\t"                                                                                       \
    "adr.w r5, 2f\n\t"                                                                                       \
    "mla r3, r3, r4, r5\n\t"                                                                                 \
    "orr r3, r3, #1\n\t"                                                                                     \
    "str r3, [sp, #60]\n"                                                                                    \
    "6:\n\t"                                                                                                 \
    "ldr r2, [sp, #44]\n\t"                                                                                  \
    "ldr r0, [sp, #36]\n\t"                                                                                  \
    "ldr r1, [sp, #40]\n\t"                                                                                  \
    "ldr r3, [sp, #4]\n\t"                                                                                   \
    "cmp r2, #0\n\t"                                                                                         \
    "beq 5f\n\t" WIDEN("3", "4", "8") "str r1, [sp, #36]\n\t"                                                \
                                      "sub r0, r1, r0\n\t"                                                   \
                                      "add r1, r1, r0\n\t"                                                   \
                                      "str r1, [sp, #40]\n"                                                  \
                                      "5:\n\t"                                                               \
                                      "ldr r0, [sp, #28]\n\t"                                                \
                                      "ldr r1, [sp, #32]\n"                                                  \
                                      "1:\n\t"                                                               \
                                      "str r1, [sp]\n\t"                                                     \
                                      "ldr r4, [r1, #" offset0 "]\n\t"                                       \
                                      "ldr.w r8, [r1, #" offset2 "]\n\t"                                     \
                                      "ldr r2, [sp, #60]\n\t"                                                \
                                      "ldr r1, [sp, #4]\n\t"                                                 \
                                      "mov r5, r4\n\t"                                                       \
                                      "movs r6, #0\n\t"                                                      \
                                      "movs r7, #0\n\t"                                                      \
                                      "mov r9, r8\n\t"                                                       \
                                      "mov r10, r6\n\t"                                                      \
                                      "mov r11, r6\n\t"                                                      \
                                      "bx r2\n\t"                                                            \
                                      ".balign 4\n"                                                          \
                                      "2:\n\t"
#define INPUTS_END                                                                                           \
    "ldr r2, [sp, #8]\n\t"                                                                                   \
    "cmp r1, r2\n\t"                                                                                         \
    "bne.w 2b\n\t"                                                                                           \
    "ldr r1, [sp]\n\t"
/* The codes of the first pixel are in r4, of two channels, r8 and r10, those of the second one in r5, r9 and
 * r11; r12 is where the weights end. */
#define END                                                                                                  \
    "strb r8, [r6, #2]\n\t"                                                                                  \
    "strb r10, [r6, #3]\n\t"                                                                                 \
    "strh r4, [r6], #4\n\t"                                                                                  \
    "strb r9, [r7, #2]\n\t"                                                                                  \
    "strb r11, [r7, #3]\n\t"                                                                                 \
    "strh r5, [r7], #4\n\t"                                                                                  \
    "str r6, [sp, #20]\n\t"                                                                                  \
    "str r7, [sp, #24]\n\t"                                                                                  \
    "adds r1, #8\n\t"                                                                                        \
    "cmp r0, r12\n\t"                                                                                        \
    "bne.w 1b\n\t"                                                                                           \
    "ldr r12, [sp, #56]\n\t"                                                                                 \
    "add r6, r6, r12\n\t"                                                                                    \
    "add r7, r7, r12\n\t"                                                                                    \
    "strd r6, r7, [sp, #20]\n\t"                                                                             \
    "ldrd r2, r3, [sp, #4]\n\t"                                                                              \
    "ldr r12, [sp, #52]\n\t"                                                                                 \
    "add r2, r2, r12\n\t"                                                                                    \
    "add r3, r3, r12\n\t"                                                                                    \
    "strd r2, r3, [sp, #4]\n\t"                                                                              \
    "ldr r2, [sp, #48]\n\t"                                                                                  \
    "subs r2, #1\n\t"                                                                                        \
    "str r2, [sp, #48]\n\t"                                                                                  \
    "bne.w 6b\n\t"                                                                                           \
    "add sp, sp, #68\n\t"                                                                                    \
    "pop {r4-r11, pc}"

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

#define PARAMETERS                                                                                           \
    "ldr r2, [r1], #4\n\t"                                                                                   \
    "ldr r3, [r1], #4\n\t"                                                                                   \
    "ldr lr, [r1], #4\n\t"
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
#define RESCALE_SIGNED(both0, both1, second0, second1)                                                       \
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
                          "ldr r2, [r1], #4\n\t" STEP(second0, "r3")                                         \
                              STEP(second1, "r3") "smmla " second0 ", " second0 ", r2, r12\n\t"              \
                                                  "smmla " second1 ", " second1 ", r2, r12\n\t" CODE(both0)  \
                                                      CODE(both1) CODE(second0) CODE(second1)

/* Assembly, because the inner loop takes all 14 registers. C promises strings of 4095 characters only. */
DIMMER_ASSEMBLY void dimmer_paired_2x4(const dimmer_paired_t *work DIMMER_REGISTER) {
    __asm__ volatile(BEGIN("4", "24", "28"));
    __asm__ volatile(FOUR_STEPS FOUR_STEPS);
    __asm__ volatile(FOUR_STEPS FOUR_STEPS INPUTS_END);
    __asm__ volatile("ldr r12, [sp, #12]\n\t" PARAMETERS RESCALE("r4", "r5", "r6", "r7") PACK_TWO);
    __asm__ volatile(PARAMETERS OUTPUTS RESCALE("r8", "r9", "r10", "r11"));
    __asm__ volatile(END);
}

DIMMER_ASSEMBLY void dimmer_paired_2x4_signed(const dimmer_paired_t *work DIMMER_REGISTER) {
    __asm__ volatile(BEGIN("2", "40", "44"));
    __asm__ volatile(FOUR_STEPS INPUTS_END);
    __asm__ volatile("ldr r12, [sp, #16]\n\t" RESCALE_SIGNED("r4", "r5", "r6", "r7") PACK_TWO);
    __asm__ volatile(RESCALE_SIGNED("r8", "r9", "r10", "r11") OUTPUTS "ldr r12, [sp, #12]\n\t");
    __asm__ volatile(END);
}

/* On the stack: 0 words, 4 rest. r5 is the step, r4 how many rows are left. */
DIMMER_ASSEMBLY int32_t *dimmer_widen_rows(const int8_t *input0 DIMMER_REGISTER,
                                           const int8_t *input1 DIMMER_REGISTER,
                                           const dimmer_widen_t *work DIMMER_REGISTER,
                                           int32_t *to DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #12\n\t"
                     "ldrd r4, r5, [r2]\n\t"
                     "strd r4, r5, [sp]\n\t"
                     "ldrd r4, r5, [r2, #8]\n"
                     "1:\n\t"
                     "ldr r2, [sp]\n\t"
                     "cmp r2, #0\n\t"
                     "beq 4f\n\t" WIDEN("2", "3", "4") "ldr r2, [sp, #4]\n\t"
                                                       "cmp r2, #0\n\t"
                                                       "beq 6f\n\t"
                                                       "ldr r6, [r0]\n\t"
                                                       "ldr r7, [r1]\n\t"
                                                       "add r0, r0, r2\n\t"
                                                       "add r1, r1, r2\n\t"
                                                       "sxtb16 r8, r6\n\t"
                                                       "sxtb16 r9, r7\n\t"
                                                       "str r8, [r3], #4\n\t"
                                                       "str r9, [r3], #4\n\t"
                                                       "cmp r2, #1\n\t"
                                                       "beq 6f\n\t"
                                                       "sxtb16 r8, r6, ror #8\n\t"
                                                       "sxtb16 r9, r7, ror #8\n\t"
                                                       "str r8, [r3], #4\n\t"
                                                       "str r9, [r3], #4\n"
                                                       "6:\n\t"
                                                       "add r0, r0, r5\n\t"
                                                       "add r1, r1, r5\n\t"
                                                       "subs r4, #1\n\t"
                                                       "bne.w 1b\n\t"
                                                       "mov r0, r3\n\t"
                                                       "add sp, sp, #12\n\t"
                                                       "pop {r4-r11, pc}");
}

#endif
