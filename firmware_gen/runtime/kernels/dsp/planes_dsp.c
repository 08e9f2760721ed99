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

/* Sums begin with the offset, which is in r4: behind the first loads, one behind the other. */
#define TWO_SUMS  "mov r5, r4\n\t"
#define FOUR_SUMS TWO_SUMS "mov r6, r4\n\tmov r7, r4\n\t"

/* One row of the kernel for four outputs, and for two; stride_w is 1. */
#define FOUR_OF_1(row, at, next, begin)                                                                      \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr.w r10, [" row ", #32]\n\t"                                                                          \
    "ldr r8, [" row "], #32\n\t" begin BOTH_OF_1("r4", "r5", "r8", "r9") BOTH_OF_1("r6", "r7", "r9", "r10")
#define TWO_OF_1(row, at, next, begin)                                                                       \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr r8, [" row "], #16\n\t" begin BOTH_OF_1("r4", "r5", "r8", "r9")
/* The same where stride_w is 2. */
#define FOUR_OF_2(row, at, next, begin)                                                                      \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr.w r10, [" row ", #32]\n\t"                                                                          \
    "ldr r8, [" row "], #64\n\t" begin BOTH_OF_2(                                                            \
        "r4", "r5", "r8", "r9", "r10") "ldr r8, [" row ", #-16]\n\t"                                         \
                                       "ldr.w r9, [" row "]\n\t" BOTH_OF_2("r6", "r7", "r10", "r8", "r9")
#define TWO_OF_2(row, at, next, begin)                                                                       \
    WEIGHTS(at, next)                                                                                        \
    "ldr.w r9, [" row ", #16]\n\t"                                                                           \
    "ldr.w r10, [" row ", #32]\n\t"                                                                          \
    "ldr r8, [" row "], #32\n\t" begin BOTH_OF_2("r4", "r5", "r8", "r9", "r10")

#define CODE(sum)                                                                                            \
    "smmul " sum ", " sum ", r8\n\t"                                                                         \
    "ssat " sum ", #8, " sum ", asr #10\n\t"

/* On the stack: 0 *work, but for the constants; 36 the end of a row's fours; 40 how many outputs are left
 * behind them. lr is where an output goes. */
#define ROWS_BEGIN                                                                                           \
    "push {r4-r11, lr}\n\t"                                                                                  \
    "sub sp, sp, #52\n\t"                                                                                    \
    "mov lr, sp\n\t"                                                                                         \
    "ldmia.w r0!, {r1-r8}\n\t"                                                                               \
    "stmia.w lr!, {r1-r8}\n\t"                                                                               \
    "ldrd r1, r0, [r0]\n\t"                                                                                  \
    "str r1, [lr]\n\t"                                                                                       \
    "str r6, [sp, #40]\n\t"                                                                                  \
    "6:\n\t"                                                                                                 \
    "ldr r1, [sp]\n\t"                                                                                       \
    "ldr r8, [sp, #4]\n\t"                                                                                   \
    "ldr lr, [sp, #32]\n\t"                                                                                  \
    "add r2, r1, r8\n\t"                                                                                     \
    "add r3, r2, r8\n\t"                                                                                     \
    "1:\n\t"                                                                                                 \
    "ldr r9, [sp, #8]\n\t"                                                                                   \
    "adds r9, r1, r9\n\t"                                                                                    \
    "str r9, [sp, #36]\n\t"                                                                                  \
    "cmp r1, r9\n\t"                                                                                         \
    "beq.w 3f\n\t"                                                                                           \
    "2:\n\t"                                                                                                 \
    "ldr.w r4, [r0, #24]\n\t"
#define FOURS_END                                                                                            \
    "ldr.w r8, [r0, #28]\n\t"                                                                                \
    "ldr.w r10, [sp, #24]\n\t"                                                                               \
    "ldr.w r11, [sp, #36]\n\t"                                                                               \
    "add r12, lr, r10, lsl #1\n\t" CODE("r4") CODE("r5") CODE("r6") CODE("r7") "strb r4, [lr]\n\t"           \
                                                                               "strb r5, [lr, r10]\n\t"      \
                                                                               "strb r6, [r12]\n\t"          \
                                                                               "strb r7, [r12, r10]\n\t"     \
                                                                               "add lr, lr, r10, lsl #2\n\t" \
                                                                               "cmp r1, r11\n\t"             \
                                                                               "bne.w 2b\n\t"                \
                                                                               "3:\n\t"                      \
                                                                               "ldr r4, [sp, #20]\n\t"       \
                                                                               "cmp r4, #0\n\t"              \
                                                                               "beq.w 5f\n\t"                \
                                                                               "4:\n\t"                      \
                                                                               "ldr.w r4, [r0, #24]\n\t"
#define ROWS_END                                                                                             \
    "ldr.w r8, [r0, #28]\n\t"                                                                                \
    "ldr.w r10, [sp, #24]\n\t"                                                                               \
    "ldr.w r11, [sp, #40]\n\t" CODE("r4") CODE("r5") "strb r4, [lr]\n\t"                                     \
                                                     "add lr, lr, r10\n\t"                                   \
                                                     "cmp r11, #1\n\t"                                       \
                                                     "beq 8f\n\t"                                            \
                                                     "strb r5, [lr]\n\t"                                     \
                                                     "add lr, lr, r10\n\t"                                   \
                                                     "cmp r11, #3\n\t"                                       \
                                                     "beq 7f\n\t"                                            \
                                                     "5:\n\t"                                                \
                                                     "ldr r8, [sp, #12]\n\t"                                 \
                                                     "ldr r9, [sp, #28]\n\t"                                 \
                                                     "ldr r10, [sp, #16]\n\t"                                \
                                                     "add r1, r8\n\t"                                        \
                                                     "add r2, r8\n\t"                                        \
                                                     "add r3, r8\n\t"                                        \
                                                     "add lr, r9\n\t"                                        \
                                                     "cmp r1, r10\n\t"                                       \
                                                     "bne.w 1b\n\t"                                          \
                                                     "ldr r1, [sp]\n\t"                                      \
                                                     "ldr r2, [sp, #32]\n\t"                                 \
                                                     "ldr r3, [sp, #16]\n\t"                                 \
                                                     "adds r0, #32\n\t"                                      \
                                                     "adds r1, #4\n\t"                                       \
                                                     "adds r2, #1\n\t"                                       \
                                                     "adds r3, #4\n\t"                                       \
                                                     "str r1, [sp]\n\t"                                      \
                                                     "str r2, [sp, #32]\n\t"                                 \
                                                     "str r3, [sp, #16]\n\t"                                 \
                                                     "ands r1, r1, #15\n\t"                                  \
                                                     "bne.w 6b\n\t"                                          \
                                                     "add sp, sp, #52\n\t"                                   \
                                                     "pop {r4-r11, pc}\n\t"                                  \
                                                     "7:\n\t"                                                \
                                                     "movs r4, #1\n\t"                                       \
                                                     "str r4, [sp, #40]\n\t"                                 \
                                                     "b.w 4b\n\t"                                            \
                                                     "8:\n\t"                                                \
                                                     "ldr r4, [sp, #20]\n\t"                                 \
                                                     "str r4, [sp, #40]\n\t"                                 \
                                                     "b.w 5b\n\t"

/* Assembly, because the loops take all 14 registers. */
DIMMER_ASSEMBLY void dimmer_planes_rows(const dimmer_planes_t *work DIMMER_REGISTER) {
    __asm__ volatile(ROWS_BEGIN FOUR_OF_1("r1", "0", "4", FOUR_SUMS) FOUR_OF_1("r2", "8", "12", "")
                         FOUR_OF_1("r3", "16", "20", ""));
    __asm__ volatile(FOURS_END TWO_OF_1("r1", "0", "4", TWO_SUMS) TWO_OF_1("r2", "8", "12", "")
                         TWO_OF_1("r3", "16", "20", "") ROWS_END);
}

DIMMER_ASSEMBLY void dimmer_planes_rows_2(const dimmer_planes_t *work DIMMER_REGISTER) {
    __asm__ volatile(ROWS_BEGIN FOUR_OF_2("r1", "0", "4", FOUR_SUMS) FOUR_OF_2("r2", "8", "12", "")
                         FOUR_OF_2("r3", "16", "20", ""));
    __asm__ volatile(FOURS_END TWO_OF_2("r1", "0", "4", TWO_SUMS) TWO_OF_2("r2", "8", "12", "")
                         TWO_OF_2("r3", "16", "20", "") ROWS_END);
}

/* Of a tap's four weights, bytes 0 and 2 times 256, then 1 and 3; two taps share words. */
DIMMER_ASSEMBLY void dimmer_planes_weights(const int8_t *weights DIMMER_REGISTER,
                                           uint32_t along DIMMER_REGISTER, uint32_t across DIMMER_REGISTER,
                                           int32_t *constants DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "mov r12, #0xFF00FF00\n\t"
                     "mov lr, #3\n"
                     "1:\n\t"
                     "ldr r4, [r0]\n\t"
                     "ldr r5, [r0, r1]\n\t"
                     "ldr r6, [r0, r1, lsl #1]\n\t"
                     "and r7, r12, r4, lsl #8\n\t"
                     "and r8, r12, r5, lsl #8\n\t"
                     "and r9, r12, r6, lsl #8\n\t"
                     "and r4, r4, r12\n\t"
                     "and r5, r5, r12\n\t"
                     "and r6, r6, r12\n\t"
                     "pkhbt r10, r7, r8, lsl #16\n\t"
                     "pkhbt r11, r8, r9, lsl #16\n\t"
                     "str r10, [r3], #4\n\t"
                     "str r11, [r3], #4\n\t"
                     "pkhbt r10, r4, r5, lsl #16\n\t"
                     "pkhbt r11, r5, r6, lsl #16\n\t"
                     "str r10, [r3, #24]\n\t"
                     "str r11, [r3, #28]\n\t"
                     "pkhtb r7, r8, r7, asr #16\n\t"
                     "pkhtb r9, r9, r8, asr #16\n\t"
                     "str r7, [r3, #56]\n\t"
                     "str r9, [r3, #60]\n\t"
                     "pkhtb r4, r5, r4, asr #16\n\t"
                     "pkhtb r6, r6, r5, asr #16\n\t"
                     "str r4, [r3, #88]\n\t"
                     "str r6, [r3, #92]\n\t"
                     "add r0, r0, r2\n\t"
                     "subs lr, #1\n\t"
                     "bne 1b\n\t"
                     "pop {r4-r11, pc}");
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
    "str r9, [r2, #4]\n\t"                                                                                   \
    "str r10, [r2, #8]\n\t"                                                                                  \
    "str r11, [r2, #12]\n\t"                                                                                 \
    "str r8, [r2], #16\n\t"

/* On the stack: 0 *work from `body` on. r2 is to, r3 how many rows are left, r1 the step, r12 three steps; r0
 * where an element is, lr how many pairs are left. */
DIMMER_ASSEMBLY void dimmer_planes_fill(const dimmer_planes_fill_t *work DIMMER_REGISTER,
                                        uint32_t count DIMMER_REGISTER, int32_t *to DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #28\n\t"
                     "mov r3, r1\n\t"
                     "ldrd r4, r1, [r0], #8\n\t"
                     "ldmia.w r0, {r5-r11}\n\t"
                     "stmia.w sp, {r5-r11}\n\t"
                     "mov r0, r4\n\t"
                     "add r12, r1, r1, lsl #1\n"
                     "1:\n\t"
                     "ldr lr, [sp]\n\t"
                     "ldr r6, [sp, #4]\n\t"
                     "ldr r4, [sp, #16]\n\t"
                     "cmp r6, #0\n\t"
                     "beq 2f\n\t"
                     "ldr r5, [r0]\n\t"
                     "add r0, r0, r1\n\t" PACK("r4", "r5"));
    /* Nothing behind the shift changes the flags. */
    __asm__ volatile(
        "2:\n\t"
        "lsrs lr, lr, #1\n\t"
        "bcc 3f\n\t"
        "ldr r4, [r0]\n\t"
        "ldr r5, [r0, r1]\n\t"
        "add r0, r0, r1, lsl #1\n\t" PACK("r4", "r5") "3:\n\t"
                                                      "beq 5f\n"
                                                      "4:\n\t"
                                                      "ldr.w r4, [r0]\n\t"
                                                      "ldr.w r5, [r0, r1]\n\t"
                                                      "ldr.w r6, [r0, r1, lsl #1]\n\t"
                                                      "ldr.w r7, [r0, r12]\n\t"
                                                      "add r0, r0, r1, lsl #2\n\t" PACK("r4", "r5")
                                                          PACK("r6", "r7") "subs lr, #1\n\t"
                                                                           "bne 4b\n");
    __asm__ volatile("5:\n\t"
                     "ldr r6, [sp, #8]\n\t"
                     "ldr lr, [sp, #12]\n\t"
                     "ldr r5, [sp, #16]\n\t"
                     "cmp r6, #0\n\t"
                     "beq 6f\n\t"
                     "ldr r4, [r0]\n\t"
                     "add r0, r0, r1\n\t" PACK("r4", "r5") "6:\n\t"
                                                           "cmp lr, #0\n\t"
                                                           "beq 9f\n\t"
                                                           "ldr r8, [sp, #20]\n\t"
                                                           "mov r9, r8\n\t"
                                                           "mov r10, r8\n\t"
                                                           "mov r11, r8\n"
                                                           "8:\n\t"
                                                           "stmia.w r2!, {r8-r11}\n\t"
                                                           "subs lr, #1\n\t"
                                                           "bne 8b\n"
                                                           "9:\n\t"
                                                           "ldr r4, [sp, #24]\n\t"
                                                           "subs r3, #1\n\t"
                                                           "add.w r0, r0, r4\n\t"
                                                           "bne.w 1b\n\t"
                                                           "add sp, sp, #28\n\t"
                                                           "pop {r4-r11, pc}");
}

#endif
