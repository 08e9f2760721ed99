/* SPDX-License-Identifier: Apache-2.0 */
#include "f43.h"

#include "direct.h"

#if defined(__ARM_FEATURE_DSP)

/* As in direct_dsp.c, 64 bytes of code; but loads of one word, of which neighbours take one cycle each, where
 * one of many words takes one more than there are words. */
#define FOUR_PRODUCTS                                                                                        \
    "ldr r2, [r0], #4\n\t"                                                                                   \
    "ldr r3, [r0], #4\n\t"                                                                                   \
    "ldr r4, [r0], #4\n\t"                                                                                   \
    "ldr r5, [r0], #4\n\t"                                                                                   \
    "ldr r6, [r1], #4\n\t"                                                                                   \
    "ldr r7, [r1], #4\n\t"                                                                                   \
    "ldr r8, [r1], #4\n\t"                                                                                   \
    "ldr r9, [r1], #4\n\t"                                                                                   \
    "smlad r10, r2, r6, r10\n\t"                                                                             \
    "smlad r11, r2, r8, r11\n\t"                                                                             \
    "smlad r12, r4, r6, r12\n\t"                                                                             \
    "smlad lr, r4, r8, lr\n\t"                                                                               \
    "smlad r10, r3, r7, r10\n\t"                                                                             \
    "smlad r11, r3, r9, r11\n\t"                                                                             \
    "smlad r12, r5, r7, r12\n\t"                                                                             \
    "smlad lr, r5, r9, lr\n\t"

/* `doubled` is 2 * (sum + bias); r10 the multiplier, r11 the rounding, r12 the shift. */
#define RESCALE(doubled)                                                                                     \
    "add.w r1, r11, " doubled ", asr #31\n\t"                                                                \
    "smmlar " doubled ", " doubled ", r10, r1\n\t"                                                           \
    "asr.w " doubled ", " doubled ", r12\n\t"                                                                \
    "ssat " doubled ", #8, " doubled "\n\t"

/* Four outputs from the six sums at sp + first, 16 bytes apart; their place is at sp + output. r8 is the
 * inverse of 3, r9 twice the bias. The doubled sums come as 8y, 4y, 2y and 2y. */
#define TILE(m0, m1, m2, m3, m4, m5, output)                                                                 \
    "ldr r2, [sp, #" m0 "]\n\t"                                                                              \
    "ldr r3, [sp, #" m1 "]\n\t"                                                                              \
    "ldr r4, [sp, #" m2 "]\n\t"                                                                              \
    "ldr r5, [sp, #" m3 "]\n\t"                                                                              \
    "ldr r6, [sp, #" m4 "]\n\t"                                                                              \
    "ldr r7, [sp, #" m5 "]\n\t"                                                                              \
    "add r1, r3, r4\n\t"                                                                                     \
    "sub r3, r3, r4\n\t"                                                                                     \
    "add r4, r5, r6\n\t"                                                                                     \
    "sub r5, r5, r6\n\t"                                                                                     \
    "sub r2, r2, r1, lsl #2\n\t"                                                                             \
    "add r2, r2, r4\n\t"                                                                                     \
    "sub r6, r5, r3, lsl #1\n\t"                                                                             \
    "sub r4, r4, r1\n\t"                                                                                     \
    "rsb r3, r3, r5, lsl #1\n\t"                                                                             \
    "add r3, r3, r7, lsl #1\n\t"                                                                             \
    "mul r2, r2, r8\n\t"                                                                                     \
    "mul r6, r6, r8\n\t"                                                                                     \
    "mla r4, r4, r8, r9\n\t"                                                                                 \
    "mla r3, r3, r8, r9\n\t"                                                                                 \
    "add r2, r9, r2, asr #2\n\t"                                                                             \
    "add r6, r9, r6, asr #1\n\t" RESCALE("r2") RESCALE("r6") RESCALE("r4")                                   \
        RESCALE("r3") "ldr lr, [sp, #" output "]\n\t"                                                        \
                      "ldr r7, [sp, #124]\n\t"                                                               \
                      "strb r2, [lr]\n\t"                                                                    \
                      "strb r6, [lr, r7]\n\t"                                                                \
                      "strb r4, [lr, r7, lsl #1]\n\t"                                                        \
                      "add r1, lr, r7\n\t"                                                                   \
                      "strb r3, [r1, r7, lsl #1]\n\t"                                                        \
                      "add lr, lr, #1\n\t"                                                                   \
                      "str lr, [sp, #" output "]\n\t"

/* On the stack: 0 the sums of six points, two channels by two tiles each; 96 *work; 128 where the inner loop
 * is entered, 132 the end of the point's inputs, 136 where its sums go. */
DIMMER_ASSEMBLY void dimmer_f43_2x2(const dimmer_f43_t *work DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #140\n\t"
                     "ldmia.w r0, {r2-r9}\n\t"
                     "add r1, sp, #96\n\t"
                     "stmia.w r1, {r2-r9}\n\t"
                     "mov r0, r2\n\t"
                     "lsrs r5, r5, #4\n\t"
                     "movs r7, #12\n\t"
                     "subs r5, #1\n\t"
                     "udiv r8, r5, r7\n\t"
                     "mls r5, r8, r7, r5\n\t"
                     "rsb r5, r5, #11\n\t"
                     "adr.w r6, 3f\n\t"
                     "add.w r5, r6, r5, lsl #6\n\t"
                     "orr r5, r5, #1\n\t"
                     "str r5, [sp, #128]\n"
                     "1:\n\t"
                     "mov r2, sp\n\t"
                     "str r2, [sp, #136]\n\t"
                     "ldr r1, [sp, #104]\n"
                     "2:\n\t"
                     "ldr r3, [sp, #108]\n\t"
                     "ldr r2, [sp, #128]\n\t"
                     "add r3, r3, r1\n\t"
                     "str r3, [sp, #132]\n\t"
                     "mov r10, #0\n\t"
                     "mov r11, #0\n\t"
                     "mov r12, #0\n\t"
                     "mov lr, #0\n\t"
                     "bx r2\n\t"
                     ".balign 4\n"
                     "3:");
    /* C promises strings of 4095 characters only. */
    __asm__ volatile(FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS);
    __asm__ volatile(FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS
                     "ldr r2, [sp, #132]\n\t"
                     "cmp r1, r2\n\t"
                     "bne.w 3b");
    __asm__ volatile("ldr r2, [sp, #136]\n\t"
                     "ldr r3, [sp, #112]\n\t"
                     "stmia.w r2!, {r10-r12, lr}\n\t"
                     "add r1, r1, r3\n\t"
                     "str r2, [sp, #136]\n\t"
                     "add r3, sp, #96\n\t"
                     "cmp r2, r3\n\t"
                     "bne.w 2b\n\t"
                     "ldmia.w r0!, {r9-r12}\n\t"
                     "movw r8, #0xAAAB\n\t"
                     "movt r8, #0xAAAA\n\t" TILE("0", "16", "32", "48", "64", "80", "116")
                         TILE("4", "20", "36", "52", "68", "84", "120"));
    __asm__ volatile("ldmia.w r0!, {r9-r12}\n\t" TILE("8", "24", "40", "56", "72", "88", "116")
                         TILE("12", "28", "44", "60", "76", "92", "120") "ldr r2, [sp, #100]\n\t"
                                                                         "cmp r0, r2\n\t"
                                                                         "bne.w 1b\n\t"
                                                                         "add sp, sp, #140\n\t"
                                                                         "pop {r4-r11, pc}");
}

/* Six words of a point each, r3 bytes apart, from r2 + at on. */
#define STORE_POINTS(at, m0, m1, m2, m3, m4, m5, free)                                                       \
    "add lr, r2, r3\n\t"                                                                                     \
    "str " m0 ", [r2, #" at "]\n\t"                                                                          \
    "add " free ", lr, r3\n\t"                                                                               \
    "str " m1 ", [lr, #" at "]\n\t"                                                                          \
    "add lr, " free ", r3\n\t"                                                                               \
    "str " m2 ", [" free ", #" at "]\n\t"                                                                    \
    "add " free ", lr, r3\n\t"                                                                               \
    "str " m3 ", [lr, #" at "]\n\t"                                                                          \
    "add lr, " free ", r3\n\t"                                                                               \
    "str " m4 ", [" free ", #" at "]\n\t"                                                                    \
    "str " m5 ", [lr, #" at "]\n\t"

/* Two channels of six columns, from r0 and from r12 on, r1 bytes apart. */
#define TWO_INPUTS(rotation, at)                                                                             \
    "ldr.w r4, [r0]\n\t"                                                                                     \
    "ldr.w r5, [r0, r1]\n\t"                                                                                 \
    "ldr.w r6, [r0, r1, lsl #1]\n\t"                                                                         \
    "ldr.w r7, [r12]\n\t"                                                                                    \
    "ldr.w r8, [r12, r1]\n\t"                                                                                \
    "ldr.w r9, [r12, r1, lsl #1]\n\t"                                                                        \
    "sxtb16 r4, r4" rotation "\n\t"                                                                          \
    "sxtb16 r5, r5" rotation "\n\t"                                                                          \
    "sxtb16 r6, r6" rotation "\n\t"                                                                          \
    "sxtb16 r7, r7" rotation "\n\t"                                                                          \
    "sxtb16 r8, r8" rotation "\n\t"                                                                          \
    "sxtb16 r9, r9" rotation "\n\t"                                                                          \
    "ssub16 r10, r8, r6\n\t"                                                                                 \
    "ssub16 r11, r7, r5\n\t"                                                                                 \
    "ssub16 r4, r4, r6\n\t"                                                                                  \
    "ssub16 r9, r9, r7\n\t"                                                                                  \
    "sadd16 r5, r5, r5\n\t"                                                                                  \
    "sadd16 r6, r6, r6\n\t"                                                                                  \
    "sadd16 r4, r4, r4\n\t"                                                                                  \
    "sadd16 r5, r5, r5\n\t"                                                                                  \
    "sadd16 r6, r6, r6\n\t"                                                                                  \
    "sadd16 r4, r4, r4\n\t"                                                                                  \
    "ssub16 r5, r7, r5\n\t"                                                                                  \
    "ssub16 r6, r8, r6\n\t"                                                                                  \
    "sadd16 r11, r11, r11\n\t"                                                                               \
    "sadd16 r4, r4, r10\n\t"                                                                                 \
    "sadd16 r7, r6, r5\n\t"                                                                                  \
    "ssub16 r8, r6, r5\n\t"                                                                                  \
    "sadd16 r5, r10, r11\n\t"                                                                                \
    "ssub16 r6, r10, r11\n\t"                                                                                \
    "sadd16 r11, r11, r11\n\t"                                                                               \
    "ssub16 r9, r9, r11\n\t" STORE_POINTS(at, "r4", "r7", "r8", "r5", "r6", "r9", "r10")

/* Assembly, because a compiler keeps half of it on the stack. */
DIMMER_ASSEMBLY void dimmer_f43_inputs(const int8_t *columns DIMMER_REGISTER,
                                       uint32_t channels DIMMER_REGISTER, int32_t *to DIMMER_REGISTER,
                                       uint32_t spacing DIMMER_REGISTER) {
    __asm__ volatile("push {r2, r4-r11, lr}\n\t"
                     "add r4, r0, r1\n\t"
                     "str r4, [sp]\n\t"
                     "add r12, r4, r1, lsl #1\n\t"
                     "lsls r3, r3, #2\n"
                     "1:\n\t" TWO_INPUTS("", "0") TWO_INPUTS(", ror #8", "4") "ldr r4, [sp]\n\t"
                                                                              "adds r0, #4\n\t"
                                                                              "add r12, r12, #4\n\t"
                                                                              "adds r2, #16\n\t"
                                                                              "cmp r0, r4\n\t"
                                                                              "bne.w 1b\n\t"
                                                                              "pop {r2, r4-r11, pc}");
}

/* Two channels of three weights, from r0 on, r1 bytes apart. */
#define TWO_WEIGHTS(rotation, at)                                                                            \
    "ldr.w r4, [r0]\n\t"                                                                                     \
    "ldr.w r5, [r0, r1]\n\t"                                                                                 \
    "ldr.w r6, [r0, r1, lsl #1]\n\t"                                                                         \
    "sxtb16 r4, r4" rotation "\n\t"                                                                          \
    "sxtb16 r5, r5" rotation "\n\t"                                                                          \
    "sxtb16 r6, r6" rotation "\n\t"                                                                          \
    "sadd16 r7, r4, r4\n\t"                                                                                  \
    "sadd16 r8, r5, r5\n\t"                                                                                  \
    "sadd16 r9, r6, r6\n\t"                                                                                  \
    "sadd16 r10, r4, r6\n\t"                                                                                 \
    "sadd16 r7, r7, r4\n\t"                                                                                  \
    "sadd16 r6, r6, r9\n\t"                                                                                  \
    "sadd16 r9, r9, r9\n\t"                                                                                  \
    "sadd16 r7, r7, r7\n\t"                                                                                  \
    "sadd16 r4, r4, r9\n\t"                                                                                  \
    "sadd16 r9, r10, r5\n\t"                                                                                 \
    "ssub16 r10, r10, r5\n\t"                                                                                \
    "sadd16 r5, r4, r8\n\t"                                                                                  \
    "ssub16 r4, r4, r8\n\t" STORE_POINTS(at, "r7", "r9", "r10", "r5", "r4", "r6", "r8")

DIMMER_ASSEMBLY void dimmer_f43_weights(const int8_t *weights DIMMER_REGISTER,
                                        uint32_t channels DIMMER_REGISTER, int32_t *to DIMMER_REGISTER,
                                        uint32_t spacing DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "add r12, r0, r1\n\t"
                     "lsls r3, r3, #2\n"
                     "1:\n\t" TWO_WEIGHTS("", "0") TWO_WEIGHTS(", ror #8", "4") "adds r0, #4\n\t"
                                                                                "adds r2, #16\n\t"
                                                                                "cmp r0, r12\n\t"
                                                                                "bne.w 1b\n\t"
                                                                                "pop {r4-r11, pc}");
}

#endif
