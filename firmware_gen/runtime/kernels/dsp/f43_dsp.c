/* SPDX-License-Identifier: Apache-2.0 */
#include "f43.h"

#include "direct.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

/* As in direct_dsp.c. */
#define FOUR_PRODUCTS                                                                                        \
    "ldmia.w r0!, {r2-r5}\n\t"                                                                               \
    "ldmia.w r1!, {r6-r9}\n\t"                                                                               \
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
                     "rsb r5, r5, #0\n\t"
                     "asrs r5, r5, #4\n\t"
                     "and r5, r5, #7\n\t"
                     "add.w r5, r5, r5, lsl #2\n\t"
                     "adr.w r6, 3f\n\t"
                     "add.w r5, r6, r5, lsl #3\n\t"
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
                     "3:\n\t" FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS
                         FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS "ldr r2, [sp, #132]\n\t"
                     "cmp r1, r2\n\t"
                     "bne.w 3b\n\t"
                     "ldr r2, [sp, #136]\n\t"
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
                         TILE("4", "20", "36", "52", "68", "84", "120") "ldmia.w r0!, {r9-r12}\n\t" TILE(
                             "8", "24", "40", "56", "72", "88", "116")
                             TILE("12", "28", "44", "60", "76", "92", "120") "ldr r2, [sp, #100]\n\t"
                                                                             "cmp r0, r2\n\t"
                                                                             "bne.w 1b\n\t"
                                                                             "add sp, sp, #140\n\t"
                                                                             "pop {r4-r11, pc}");
}

static inline uint32_t four_bytes(const int8_t *at) {
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t plus(uint32_t a, uint32_t b) {
    uint32_t sum;

    __asm__("sadd16 %0, %1, %2" : "=r"(sum) : "r"(a), "r"(b));
    return sum;
}

static inline uint32_t minus(uint32_t a, uint32_t b) {
    uint32_t difference;

    __asm__("ssub16 %0, %1, %2" : "=r"(difference) : "r"(a), "r"(b));
    return difference;
}

static inline uint32_t even(uint32_t bytes) {
    uint32_t pair;

    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
}

static inline uint32_t odd(uint32_t bytes) {
    uint32_t pair;

    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
}

/* Two channels of the six columns. */
static inline void two_inputs(uint32_t d0, uint32_t d1, uint32_t d2, uint32_t d3, uint32_t d4, uint32_t d5,
                              int32_t *to, uint32_t spacing) {
    const uint32_t g = minus(d4, d2);
    const uint32_t h = minus(d3, d1);
    const uint32_t h2 = plus(h, h);
    const uint32_t twice = minus(d0, d2);
    const uint32_t half = plus(twice, twice);
    const uint32_t double1 = plus(d1, d1);
    const uint32_t double2 = plus(d2, d2);
    const uint32_t e = minus(d4, plus(double2, double2));
    const uint32_t f = minus(d3, plus(double1, double1));

    to[0] = (int32_t)plus(plus(half, half), g);
    to[spacing] = (int32_t)plus(e, f);
    to += 2u * spacing;
    to[0] = (int32_t)minus(e, f);
    to[spacing] = (int32_t)plus(g, h2);
    to += 2u * spacing;
    to[0] = (int32_t)minus(g, h2);
    to[spacing] = (int32_t)minus(minus(d5, d3), plus(h2, h2));
}

void dimmer_f43_inputs(const int8_t *columns, uint32_t channels, int32_t *to, uint32_t spacing) {
    const int8_t *const end = columns + channels;

    for (; columns != end; columns += 4, to += 4) {
        const int8_t *const last = columns + 3u * channels;
        const uint32_t x0 = four_bytes(columns);
        const uint32_t x1 = four_bytes(columns + channels);
        const uint32_t x2 = four_bytes(columns + 2u * channels);
        const uint32_t x3 = four_bytes(last);
        const uint32_t x4 = four_bytes(last + channels);
        const uint32_t x5 = four_bytes(last + 2u * channels);

        two_inputs(even(x0), even(x1), even(x2), even(x3), even(x4), even(x5), to, spacing);
        two_inputs(odd(x0), odd(x1), odd(x2), odd(x3), odd(x4), odd(x5), to + 1, spacing);
    }
}

static inline void two_weights(uint32_t w0, uint32_t w1, uint32_t w2, int32_t *to, uint32_t spacing) {
    const uint32_t double0 = plus(w0, w0);
    const uint32_t double1 = plus(w1, w1);
    const uint32_t double2 = plus(w2, w2);
    const uint32_t ends = plus(w0, w2);
    const uint32_t far = plus(w0, plus(double2, double2));

    to[0] = (int32_t)plus(plus(double0, double0), double0);
    to[spacing] = (int32_t)plus(ends, w1);
    to += 2u * spacing;
    to[0] = (int32_t)minus(ends, w1);
    to[spacing] = (int32_t)plus(far, double1);
    to += 2u * spacing;
    to[0] = (int32_t)minus(far, double1);
    to[spacing] = (int32_t)plus(double2, w2);
}

void dimmer_f43_weights(const int8_t *weights, uint32_t channels, int32_t *to, uint32_t spacing) {
    const int8_t *const end = weights + channels;

    for (; weights != end; weights += 4, to += 4) {
        const uint32_t x0 = four_bytes(weights);
        const uint32_t x1 = four_bytes(weights + channels);
        const uint32_t x2 = four_bytes(weights + 2u * channels);

        two_weights(even(x0), even(x1), even(x2), to, spacing);
        two_weights(odd(x0), odd(x1), odd(x2), to + 1, spacing);
    }
}

#endif
