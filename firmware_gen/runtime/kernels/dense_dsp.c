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

/* Eight products of a channel, whose weights are at `from`. */
#define EIGHT_PRODUCTS(from, sum)                                                                            \
    "ldrd r10, r11, [" from "], #8\n\t"                                                                      \
    "sxtb16 r12, r10\n\t"                                                                                    \
    "sxtb16 r10, r10, ror #8\n\t"                                                                            \
    "smlad " sum ", r12, r6, " sum "\n\t"                                                                    \
    "smlad " sum ", r10, r7, " sum "\n\t"                                                                    \
    "sxtb16 r12, r11\n\t"                                                                                    \
    "sxtb16 r11, r11, ror #8\n\t"                                                                            \
    "smlad " sum ", r12, r8, " sum "\n\t"                                                                    \
    "smlad " sum ", r11, r9, " sum "\n\t"

/* 76 bytes of code: dimmer_dense_pair enters in between. */
#define STEP "ldmia.w r0!, {r6-r9}\n\t" EIGHT_PRODUCTS("r2", "r4") EIGHT_PRODUCTS("r3", "r5")

/* Assembly, because a compiler's loop moves more than it multiplies: 19 instructions for 16 products. Four
 * steps make a turn; the first one begins where as many are left as there are more than a multiple of four.
 */
__attribute__((naked)) void dimmer_dense_pair(__attribute__((unused)) const int32_t *x,
                                              __attribute__((unused)) const int32_t *x_end,
                                              __attribute__((unused)) const int8_t *weights0,
                                              __attribute__((unused)) const int8_t *weights1,
                                              __attribute__((unused)) int32_t sums[2]) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "ldr r12, [sp, #36]\n\t"
                     "ldm r12, {r4, r5}\n\t"
                     "subs r6, r0, r1\n\t"
                     "asrs r6, r6, #4\n\t"
                     "and r6, r6, #3\n\t"
                     "movs r7, #76\n\t"
                     "adr.w r8, 1f\n\t"
                     "mla r6, r6, r7, r8\n\t"
                     "orr r6, r6, #1\n\t"
                     "bx r6\n\t"
                     ".balign 4\n"
                     "1:\n\t" STEP STEP STEP STEP "cmp r0, r1\n\t"
                     "bne.w 1b\n\t"
                     "ldr r12, [sp, #36]\n\t"
                     "stm r12, {r4, r5}\n\t"
                     "pop {r4-r11, pc}");
}

#endif
