/* SPDX-License-Identifier: Apache-2.0 */
#include "dense.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

void dimmer_widen_row(const int8_t *from, uint32_t count, int32_t *to) {
    const int8_t *const end = from + count;

    for (; from != end; from += 4) {
        uint32_t word;

        memcpy(&word, from, sizeof word);
        __asm__("sxtb16 %0, %1" : "=r"(to[0]) : "r"(word));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(to[1]) : "r"(word));
        to += 2;
    }
}

/* Two products of both channels: their weights share halfwords, and the second one's are taken out of these.
 */
#define TWO_PRODUCTS(weights, x)                                                                             \
    "smlad r4, " weights ", " x ", r4\n\t"                                                                   \
    "sxtb16 " weights ", " weights "\n\t"                                                                    \
    "smlad r5, " weights ", " x ", r5\n\t"

/* 56 bytes of code: dimmer_dense_pair enters in between. */
#define STEP                                                                                                 \
    "ldmia.w r0!, {r6-r9}\n\t"                                                                               \
    "ldmia.w r2!, {r10-r12, lr}\n\t" TWO_PRODUCTS("r10", "r6") TWO_PRODUCTS("r11", "r7")                     \
        TWO_PRODUCTS("r12", "r8") TWO_PRODUCTS("lr", "r9")

/* Assembly, because a compiler's loop moves more than it multiplies: 14 instructions for 16 products. Four
 * steps make a turn; the first one begins where as many are left as there are more than a multiple of four.
 */
__attribute__((naked)) void dimmer_dense_pair(__attribute__((unused)) const int32_t *x,
                                              __attribute__((unused)) const int32_t *x_end,
                                              __attribute__((unused)) const int8_t *weights,
                                              __attribute__((unused)) int32_t sums[2]) {
    __asm__ volatile("push {r3-r11, lr}\n\t"
                     "movs r4, #0\n\t"
                     "movs r5, #0\n\t"
                     "subs r6, r0, r1\n\t"
                     "asrs r6, r6, #4\n\t"
                     "and r6, r6, #3\n\t"
                     "movs r7, #56\n\t"
                     "adr.w r8, 1f\n\t"
                     "mla r6, r6, r7, r8\n\t"
                     "orr r6, r6, #1\n\t"
                     "bx r6\n\t"
                     ".balign 4\n"
                     "1:\n\t" STEP STEP STEP STEP "cmp r0, r1\n\t"
                     "bne.w 1b\n\t"
                     "subs r4, r4, r5\n\t"
                     "ldr r3, [sp]\n\t"
                     "ldrd r6, r7, [r3]\n\t"
                     "add.w r6, r6, r4, asr #8\n\t"
                     "add.w r7, r7, r5\n\t"
                     "strd r6, r7, [r3]\n\t"
                     "pop {r3-r11, pc}");
}

#endif
