/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"

#if defined(__thumb2__)

/* r0, r1: weights, pixels. r2 and r3, r12 and lr: the sums of two pixels each. 11 instructions for 16
 * products, each of 4 bytes. */
#define TWO_STEPS(w0, w1)                                                                                    \
    "ldmia.w r1!, {r4, r5, r6, r7}\n\t"                                                                      \
    "smlal r2, r3, " w0 ", r4\n\t"                                                                           \
    "smlal r12, lr, " w0 ", r5\n\t"                                                                          \
    "smlal r2, r3, " w1 ", r6\n\t"                                                                           \
    "smlal r12, lr, " w1 ", r7\n\t"
#define FOUR_STEPS "ldmia.w r0!, {r8, r9, r10, r11}\n\t" TWO_STEPS("r8", "r9") TWO_STEPS("r10", "r11")

/* The two sums that are 2^23 apart in high:low, to first and second. */
#define SPLIT(low, high, first, second)                                                                      \
    "sbfx " first ", " low ", #0, #23\n\t"                                                                   \
    "lsr " second ", " low ", #23\n\t"                                                                       \
    "orr " second ", " second ", " high ", lsl #9\n\t"                                                       \
    "sub " second ", " second ", " first ", asr #31\n\t"

/* Assembly for the reasons given in panel_thumb.c; the loop is entered in the middle where length is no
 * multiple of a turn. On the stack: 0 the end of this plane's weights, 4 the place to enter the loop, 8 bytes
 * of a plane's weights, 12 the end of all weights; 52 sums. */
__attribute__((naked)) void dimmer_pairs(__attribute__((unused)) const int32_t *weights,
                                         __attribute__((unused)) const int32_t *pixels,
                                         __attribute__((unused)) uint32_t planes,
                                         __attribute__((unused)) uint32_t length,
                                         __attribute__((unused)) int32_t *sums) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "sub sp, #16\n\t"
                     "lsl r6, r3, #2\n\t"
                     "mla r7, r2, r6, r0\n\t"
                     "add r4, r0, r6\n\t"
                     "lsr r5, r3, #2\n\t"
                     "rsb r5, r5, #0\n\t"
                     "and r5, r5, #3\n\t"
                     "mov r8, #44\n\t"
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
                     "ldr r9, [sp, #52]\n\t" SPLIT("r2", "r3", "r4", "r5")
                         SPLIT("r12", "lr", "r6", "r7") "stmia r9!, {r4, r5, r6, r7}\n\t"
                                                        "str r9, [sp, #52]\n\t"
                                                        "add r4, sp, #4\n\t"
                                                        "ldmia r4, {r5, r6, r7}\n\t"
                                                        "sub r1, r1, r6, lsl #1\n\t"
                                                        "add r6, r8\n\t"
                                                        "str r6, [sp]\n\t"
                                                        "cmp r8, r7\n\t"
                                                        "bne 2b\n\t"
                                                        "add sp, #16\n\t"
                                                        "pop {r4-r11, pc}\n\t");
}

#else

static void split(int64_t both, int32_t *first, int32_t *second) {
    const uint32_t sign = (uint32_t)1 << (DIMMER_PAIRS_BITS - 1);
    const uint32_t low = (uint32_t)both & (2u * sign - 1u);

    *first = (int32_t)(low ^ sign) - (int32_t)sign;
    *second = (int32_t)((both - *first) / ((int64_t)1 << DIMMER_PAIRS_BITS));
}

void dimmer_pairs(const int32_t *weights, const int32_t *pixels, uint32_t planes, uint32_t length,
                  int32_t *sums) {
    for (; planes != 0u; --planes, sums += DIMMER_PAIRS_PIXELS) {
        const int32_t *const end = weights + length;
        const int32_t *from = pixels;
        int64_t s01 = 0;
        int64_t s23 = 0;

        for (; weights != end; ++weights, from += 2) {
            s01 += (int64_t)*weights * from[0];
            s23 += (int64_t)*weights * from[1];
        }
        split(s01, &sums[0], &sums[1]);
        split(s23, &sums[2], &sums[3]);
    }
}

#endif
