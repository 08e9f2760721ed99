/* SPDX-License-Identifier: Apache-2.0 */
#include "dense_words.h"

#if defined(__thumb2__)

/* Four products of a channel, whose weights are at `from`. */
#define PRODUCTS(from, sum)                                                                                  \
    "ldrsb lr, [" from "], #1\n\t"                                                                           \
    "mla " sum ", lr, r8, " sum "\n\t"                                                                       \
    "ldrsb lr, [" from "], #1\n\t"                                                                           \
    "mla " sum ", lr, r9, " sum "\n\t"                                                                       \
    "ldrsb lr, [" from "], #1\n\t"                                                                           \
    "mla " sum ", lr, r10, " sum "\n\t"                                                                      \
    "ldrsb lr, [" from "], #1\n\t"                                                                           \
    "mla " sum ", lr, r11, " sum "\n\t"

/* Assembly, because a compiler neither loads several words in one instruction nor keeps the addresses in
 * registers: 36 instructions for 16 products. On the stack: 0 the end of x, 4 sums. */
__attribute__((naked)) void dimmer_dense_words(__attribute__((unused)) const int32_t *x,
                                               __attribute__((unused)) const int8_t *weights,
                                               __attribute__((unused)) uint32_t count,
                                               __attribute__((unused)) int32_t sums[4]) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "add r4, r0, r2, lsl #2\n\t"
                     "push {r3, r4}\n\t"
                     "ldr r12, [sp]\n\t"
                     "ldm r12, {r4-r7}\n\t"
                     "mov lr, r2\n\t"
                     "add r2, r1, lr\n\t"
                     "add r3, r2, lr\n\t"
                     "add r12, r3, lr\n"
                     "1:\n\t"
                     "ldmia r0!, {r8-r11}\n\t" PRODUCTS("r1", "r4") PRODUCTS("r2", "r5") PRODUCTS("r3", "r6")
                         PRODUCTS("r12", "r7") "ldr lr, [sp, #4]\n\t"
                                               "cmp r0, lr\n\t"
                                               "bne 1b\n\t"
                                               "pop {r0, r1}\n\t"
                                               "stm r0, {r4-r7}\n\t"
                                               "pop {r4-r11, pc}\n\t");
}

#elif defined(__thumb__)

/* A byte of the words r3 and r4, which `take` leaves in r6, times x, to the sums of both channels. */
#define PRODUCT(x) "muls r6, " x ", r6\n\t"
#define BYTE0(x)                                                                                             \
    "sxtb r6, r3\n\t" PRODUCT(x) "add r8, r6\n\t"                                                            \
                                 "sxtb r6, r4\n\t" PRODUCT(x) "add r9, r6\n\t"
#define BYTE(left, x)                                                                                        \
    "lsls r6, r3, #" left "\n\t"                                                                             \
    "asrs r6, r6, #24\n\t" PRODUCT(x) "add r8, r6\n\t"                                                       \
                                      "lsls r6, r4, #" left "\n\t"                                           \
                                      "asrs r6, r6, #24\n\t" PRODUCT(x) "add r9, r6\n\t"
#define BYTE3(x)                                                                                             \
    "asrs r6, r3, #24\n\t" PRODUCT(x) "add r8, r6\n\t"                                                       \
                                      "asrs r6, r4, #24\n\t" PRODUCT(x) "add r9, r6\n\t"
#define FOUR_STEPS                                                                                           \
    "ldmia r1!, {r3}\n\t"                                                                                    \
    "ldmia r2!, {r4}\n\t"                                                                                    \
    "ldmia r0!, {r5, r7}\n\t" BYTE0("r5") BYTE("16", "r7") "ldmia r0!, {r5, r7}\n\t" BYTE("8", "r5")         \
        BYTE3("r7")

/* Two channels. Bytes are taken from words, since Armv6-M has no signed load of a byte with a constant
 * offset: 34 instructions for 8 products. */
__attribute__((naked)) static void two_channels(__attribute__((unused)) const int32_t *x,
                                                __attribute__((unused)) const int8_t *weights,
                                                __attribute__((unused)) uint32_t count,
                                                __attribute__((unused)) int32_t sums[2]) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r7, lr}\n\t"
                     "mov r4, r8\n\t"
                     "mov r5, r9\n\t"
                     "mov r6, r10\n\t"
                     "push {r4-r6}\n\t"
                     "mov r12, r3\n\t"
                     "ldr r4, [r3]\n\t"
                     "mov r8, r4\n\t"
                     "ldr r4, [r3, #4]\n\t"
                     "mov r9, r4\n\t"
                     "lsls r4, r2, #2\n\t"
                     "adds r4, r0, r4\n\t"
                     "mov r10, r4\n\t"
                     "adds r2, r1, r2\n"
                     "1:\n\t" FOUR_STEPS "cmp r0, r10\n\t"
                     "bne 1b\n\t"
                     "mov r3, r12\n\t"
                     "mov r4, r8\n\t"
                     "str r4, [r3]\n\t"
                     "mov r4, r9\n\t"
                     "str r4, [r3, #4]\n\t"
                     "pop {r4-r6}\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "pop {r4-r7, pc}\n\t");
}

void dimmer_dense_words(const int32_t *x, const int8_t *weights, uint32_t count, int32_t sums[4]) {
    two_channels(x, weights, count, sums);
    two_channels(x, weights + 2u * count, count, sums + 2);
}

#else

void dimmer_dense_words(const int32_t *x, const int8_t *weights, uint32_t count, int32_t sums[4]) {
    uint32_t i;
    uint32_t k;

    for (i = 0; i < 4u; ++i, weights += count) {
        for (k = 0; k < count; ++k) {
            sums[i] += weights[k] * x[k];
        }
    }
}

#endif
