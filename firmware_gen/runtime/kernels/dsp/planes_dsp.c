/* SPDX-License-Identifier: Apache-2.0 */
#include "planes.h"

#include "../common/assembly.h"

#if defined(__ARM_FEATURE_DSP)

/* Weights 0 and 1 are in r11, 1 and 2 in r12. */
#define WEIGHTS(at, next)                                                                                    \
    "ldr.w r11, [r0, #" at "]\n\t"                                                                           \
    "ldr.w r12, [r0, #" next "]\n\t"
#define BOTH_OF_1(first, second, columns, next)                                                              \
    "smlad " first ", " columns ", r11, " first "\n\t"                                                       \
    "smlatb " second ", " columns ", r11, " second "\n\t"                                                    \
    "smlabt " first ", " next ", r12, " first "\n\t"                                                         \
    "smlad " second ", " next ", r12, " second "\n\t"
#define BOTH_OF_2(first, second, columns, next, last)                                                        \
    "smlad " first ", " columns ", r11, " first "\n\t"                                                       \
    "smlad " second ", " next ", r11, " second "\n\t"                                                        \
    "smlabt " first ", " next ", r12, " first "\n\t"                                                         \
    "smlabt " second ", " last ", r12, " second "\n\t"

/* One row of the kernel for four outputs, and for two; stride_w is 1. */
#define FOUR_OF_1(row, at, next)                                                                             \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr.w r10, [" row ", #32]\n\t"                                                                          \
    "ldr r8, [" row "], #32\n\t" BOTH_OF_1("r4", "r5", "r8", "r9") BOTH_OF_1("r6", "r7", "r9", "r10")
#define TWO_OF_1(row, at, next)                                                                              \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr r8, [" row "], #16\n\t" BOTH_OF_1("r4", "r5", "r8", "r9")
/* The same where stride_w is 2. */
#define FOUR_OF_2(row, at, next)                                                                             \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr.w r10, [" row ", #32]\n\t"                                                                          \
    "ldr r8, [" row                                                                                          \
    "], #64\n\t" BOTH_OF_2("r4", "r5", "r8", "r9", "r10") "ldr r8, [" row ", #-16]\n\t"                      \
                                                          "ldr.w r9, [" row                                  \
                                                          "]\n\t" BOTH_OF_2("r6", "r7", "r10", "r8", "r9")
#define TWO_OF_2(row, at, next)                                                                              \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr.w r10, [" row ", #32]\n\t"                                                                          \
    "ldr r8, [" row "], #32\n\t" BOTH_OF_2("r4", "r5", "r8", "r9", "r10")

#define CODE(sum)                                                                                            \
    "smmla " sum ", " sum ", r8, r9\n\t"                                                                     \
    "ssat " sum ", #8, " sum ", asr #10\n\t"

/* On the stack: 0 *work; 44 the end of a row's fours, then how many outputs are left; 48 rows. lr is where an
 * output goes. */
#define ROWS_BEGIN                                                                                           \
    "push {r4-r11, lr}\n\t"                                                                                  \
    "sub sp, sp, #52\n\t"                                                                                    \
    "mov lr, sp\n\t"                                                                                         \
    "ldmia.w r0!, {r1-r8}\n\t"                                                                               \
    "stmia.w lr!, {r1-r8}\n\t"                                                                               \
    "ldmia.w r0, {r1-r3}\n\t"                                                                                \
    "stmia.w lr, {r1-r3}\n\t"                                                                                \
    "mov r0, r3\n"                                                                                           \
    "6:\n\t"                                                                                                 \
    "ldr r1, [sp]\n\t"                                                                                       \
    "ldr r8, [sp, #4]\n\t"                                                                                   \
    "ldr r9, [sp, #16]\n\t"                                                                                  \
    "ldr lr, [sp, #36]\n\t"                                                                                  \
    "add r2, r1, r8\n\t"                                                                                     \
    "str r9, [sp, #48]\n\t"                                                                                  \
    "add r3, r2, r8\n"                                                                                       \
    "1:\n\t"                                                                                                 \
    "ldr r9, [sp, #8]\n\t"                                                                                   \
    "adds r9, r1, r9\n\t"                                                                                    \
    "str r9, [sp, #44]\n\t"                                                                                  \
    "cmp r1, r9\n\t"                                                                                         \
    "beq.w 3f\n"                                                                                             \
    "2:\n\t"                                                                                                 \
    "ldr r4, [r0, #24]\n\t"                                                                                  \
    "mov r5, r4\n\t"                                                                                         \
    "mov r6, r4\n\t"                                                                                         \
    "mov r7, r4\n\t"
#define FOURS_END                                                                                            \
    "ldr.w r8, [r0, #28]\n\t"                                                                                \
    "ldr.w r9, [sp, #24]\n\t"                                                                                \
    "ldr.w r10, [sp, #28]\n\t"                                                                               \
    "ldr.w r11, [sp, #44]\n\t"                                                                               \
    "add r12, lr, r10, lsl #1\n\t" CODE("r4") CODE("r5") CODE("r6") CODE("r7") "strb r4, [lr]\n\t"           \
                                                                               "strb r5, [lr, r10]\n\t"      \
                                                                               "strb r6, [r12]\n\t"          \
                                                                               "strb r7, [r12, r10]\n\t"     \
                                                                               "add lr, lr, r10, lsl #2\n\t" \
                                                                               "cmp r1, r11\n\t"             \
                                                                               "bne.w 2b\n"                  \
                                                                               "3:\n\t"                      \
                                                                               "ldr r8, [sp, #20]\n\t"       \
                                                                               "str r8, [sp, #44]\n\t"       \
                                                                               "cmp r8, #0\n\t"              \
                                                                               "beq.w 5f\n"                  \
                                                                               "4:\n\t"                      \
                                                                               "ldr r4, [r0, #24]\n\t"       \
                                                                               "mov r5, r4\n\t"
#define ROWS_END                                                                                             \
    "ldr.w r8, [r0, #28]\n\t"                                                                                \
    "ldr.w r9, [sp, #24]\n\t"                                                                                \
    "ldr.w r10, [sp, #28]\n\t"                                                                               \
    "ldr.w r11, [sp, #44]\n\t" CODE("r4") CODE("r5") "strb r4, [lr]\n\t"                                     \
                                                     "add lr, lr, r10\n\t"                                   \
                                                     "subs r11, #1\n\t"                                      \
                                                     "beq 5f\n\t"                                            \
                                                     "strb r5, [lr]\n\t"                                     \
                                                     "add lr, lr, r10\n\t"                                   \
                                                     "subs r11, #1\n\t"                                      \
                                                     "str r11, [sp, #44]\n\t"                                \
                                                     "bne.w 4b\n"                                            \
                                                     "5:\n\t"                                                \
                                                     "ldr r8, [sp, #12]\n\t"                                 \
                                                     "ldr r9, [sp, #32]\n\t"                                 \
                                                     "ldr r10, [sp, #48]\n\t"                                \
                                                     "add r1, r8\n\t"                                        \
                                                     "add r2, r8\n\t"                                        \
                                                     "add r3, r8\n\t"                                        \
                                                     "add lr, r9\n\t"                                        \
                                                     "subs r10, #1\n\t"                                      \
                                                     "str r10, [sp, #48]\n\t"                                \
                                                     "bne.w 1b\n\t"                                          \
                                                     "ldr r1, [sp]\n\t"                                      \
                                                     "ldr r2, [sp, #36]\n\t"                                 \
                                                     "adds r0, #32\n\t"                                      \
                                                     "adds r1, #4\n\t"                                       \
                                                     "adds r2, #1\n\t"                                       \
                                                     "str r1, [sp]\n\t"                                      \
                                                     "str r2, [sp, #36]\n\t"                                 \
                                                     "ands r1, r1, #15\n\t"                                  \
                                                     "bne.w 6b\n\t"                                          \
                                                     "add sp, sp, #52\n\t"                                   \
                                                     "pop {r4-r11, pc}"

/* Assembly, because the loops take all 14 registers. */
DIMMER_ASSEMBLY void dimmer_planes_rows(const dimmer_planes_t *work DIMMER_REGISTER) {
    __asm__ volatile(ROWS_BEGIN FOUR_OF_1("r1", "0", "4") FOUR_OF_1("r2", "8", "12")
                         FOUR_OF_1("r3", "16", "20"));
    __asm__ volatile(FOURS_END TWO_OF_1("r1", "0", "4") TWO_OF_1("r2", "8", "12") TWO_OF_1("r3", "16", "20")
                         ROWS_END);
}

DIMMER_ASSEMBLY void dimmer_planes_rows_2(const dimmer_planes_t *work DIMMER_REGISTER) {
    __asm__ volatile(ROWS_BEGIN FOUR_OF_2("r1", "0", "4") FOUR_OF_2("r2", "8", "12")
                         FOUR_OF_2("r3", "16", "20"));
    __asm__ volatile(FOURS_END TWO_OF_2("r1", "0", "4") TWO_OF_2("r2", "8", "12") TWO_OF_2("r3", "16", "20")
                         ROWS_END);
}

/* Two columns of four channels. */
#define PACK(first, second)                                                                                  \
    "sxtb16 r8, " first "\n\t"                                                                               \
    "sxtb16 r9, " second "\n\t"                                                                              \
    "sxtb16 " first ", " first ", ror #8\n\t"                                                                \
    "sxtb16 " second ", " second ", ror #8\n\t"                                                              \
    "pkhtb r10, r9, r8, asr #16\n\t"                                                                         \
    "pkhbt r8, r8, r9, lsl #16\n\t"                                                                          \
    "pkhtb r11, " second ", " first ", asr #16\n\t"                                                          \
    "pkhbt r9, " first ", " second ", lsl #16\n\t"                                                           \
    "stmia.w r2!, {r8-r11}\n\t"

/* On the stack: 0 count, 4 *work. r2 is to, r1 the step, r12 three steps; r0 where an element is, lr how many
 * pairs are left. */
DIMMER_ASSEMBLY void dimmer_planes_fill(const dimmer_planes_fill_t *work DIMMER_REGISTER,
                                        uint32_t count DIMMER_REGISTER, int32_t *to DIMMER_REGISTER) {
    __asm__ volatile(
        "push {r4-r11, lr}\n\t"
        "sub sp, sp, #44\n\t"
        "str r1, [sp]\n\t"
        "add r1, sp, #4\n\t"
        "ldmia.w r0, {r3-r12}\n\t"
        "stmia.w r1, {r3-r12}\n\t"
        "mov r1, r4\n\t"
        "add r12, r4, r4, lsl #1\n"
        "1:\n\t"
        "ldr r3, [sp, #16]\n\t"
        "ldr r4, [sp, #20]\n\t"
        "ldr r5, [sp, #24]\n\t"
        "ldr lr, [sp, #28]\n\t"
        "ldr r0, [sp, #4]\n\t"
        "ldr r6, [sp, #12]\n\t"
        "cmp r3, r4\n\t"
        "bhs 7f\n\t"
        "add r6, r6, r0\n\t"
        "str r6, [sp, #4]\n\t"
        "cmp r5, #0\n\t"
        "beq 2f\n\t"
        "ldr r5, [r0]\n\t"
        "ldr r4, [sp, #40]\n\t"
        "add r0, r0, r1\n\t" PACK("r4", "r5") "2:\n\t"
                                              "lsrs lr, lr, #1\n\t"
                                              "bcc 3f\n\t"
                                              "ldr r4, [r0]\n\t"
                                              "ldr r5, [r0, r1]\n\t"
                                              "add r0, r0, r1, lsl #1\n\t" PACK(
                                                  "r4", "r5") "3:\n\t"
                                                              "cmp lr, #0\n\t"
                                                              "beq 5f\n"
                                                              "4:\n\t"
                                                              "ldr.w r4, [r0]\n\t"
                                                              "ldr.w r5, [r0, r1]\n\t"
                                                              "ldr.w r6, [r0, r1, lsl #1]\n\t"
                                                              "ldr.w r7, [r0, r12]\n\t"
                                                              "add r0, r0, r1, lsl #2\n\t" PACK("r4", "r5")
                                                                  PACK("r6", "r7") "subs lr, #1\n\t"
                                                                                   "bne 4b\n"
                                                                                   "5:\n\t"
                                                                                   "ldr r6, [sp, #32]\n\t"
                                                                                   "ldr lr, [sp, #36]\n\t"
                                                                                   "ldr r5, [sp, #40]\n\t"
                                                                                   "cmp r6, #0\n\t"
                                                                                   "beq 6f\n\t"
                                                                                   "ldr r4, [r0]\n\t");
    __asm__ volatile(PACK("r4", "r5") "b 6f\n"
                                      "7:\n\t"
                                      "ldr r6, [sp, #32]\n\t"
                                      "add lr, lr, r5\n\t"
                                      "ldr r5, [sp, #36]\n\t"
                                      "add lr, lr, r6\n\t"
                                      "add lr, lr, r5\n"
                                      "6:\n\t"
                                      "cmp lr, #0\n\t"
                                      "beq 9f\n\t"
                                      "ldrsh r8, [sp, #40]\n\t"
                                      "asrs r8, r8, #8\n\t"
                                      "pkhbt r8, r8, r8, lsl #16\n\t"
                                      "mov r9, r8\n\t"
                                      "mov r10, r8\n\t"
                                      "mov r11, r8\n"
                                      "8:\n\t"
                                      "stmia.w r2!, {r8-r11}\n\t"
                                      "subs lr, #1\n\t"
                                      "bne 8b\n"
                                      "9:\n\t"
                                      "ldr r3, [sp, #16]\n\t"
                                      "ldr r4, [sp]\n\t"
                                      "adds r3, #1\n\t"
                                      "str r3, [sp, #16]\n\t"
                                      "subs r4, #1\n\t"
                                      "str r4, [sp]\n\t"
                                      "bne.w 1b\n\t"
                                      "add sp, sp, #44\n\t"
                                      "pop {r4-r11, pc}");
}

#endif
