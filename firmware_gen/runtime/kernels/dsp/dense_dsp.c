/* SPDX-License-Identifier: Apache-2.0 */
#include "dense.h"
#include "../common/assembly.h"

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

/* 80 bytes of code: dimmer_dense_pairs enters in between. Neighbouring loads of one word take one cycle each.
 */
#define STEP                                                                                                 \
    "ldr r6, [r0], #4\n\t"                                                                                   \
    "ldr r7, [r0], #4\n\t"                                                                                   \
    "ldr r8, [r0], #4\n\t"                                                                                   \
    "ldr r9, [r0], #4\n\t"                                                                                   \
    "ldr r10, [r2], #4\n\t"                                                                                  \
    "ldr r11, [r2], #4\n\t"                                                                                  \
    "ldr r12, [r2], #4\n\t"                                                                                  \
    "ldr lr, [r2], #4\n\t" TWO_PRODUCTS("r10", "r6") TWO_PRODUCTS("r11", "r7") TWO_PRODUCTS("r12", "r8")     \
        TWO_PRODUCTS("lr", "r9")

/* Multiplier, start and shift follow at r6. */
#define CODE(sum)                                                                                            \
    "ldmia.w r6, {r9-r11}\n\t"                                                                               \
    "smmla " sum ", " sum ", r9, r10\n\t"                                                                    \
    "asr.w " sum ", " sum ", r11\n\t"                                                                        \
    "ssat " sum ", #8, " sum "\n\t"

/* Assembly, because a compiler's loop moves more than it multiplies: 20 instructions for 16 products. Two
 * steps make a turn; with an odd number of them the first one begins at its second. On the stack: 0 where
 * that is, 4 *work. */
DIMMER_ASSEMBLY void dimmer_dense_pairs(const dimmer_dense_t *work DIMMER_REGISTER) {
    __asm__ volatile(
        "push {r4-r11, lr}\n\t"
        "sub sp, sp, #36\n\t"
        "ldmia.w r0, {r1-r8}\n\t"
        "add r9, sp, #4\n\t"
        "stmia.w r9, {r1-r8}\n\t"
        "mov r9, r2\n\t"
        "mov r2, r3\n\t"
        "subs r6, r1, r9\n\t"
        "ubfx r6, r6, #4, #1\n\t"
        "mov r1, r9\n\t"
        "movs r7, #80\n\t"
        "adr.w r8, 2f\n\t"
        "mla r6, r6, r7, r8\n\t"
        "orr r6, r6, #1\n\t"
        "str r6, [sp]\n"
        "1:\n\t"
        "ldr r6, [sp]\n\t"
        "ldr r0, [sp, #4]\n\t"
        "movs r4, #0\n\t"
        "movs r5, #0\n\t"
        "bx r6\n\t"
        ".balign 4\n"
        "2:\n\t" STEP STEP "cmp r0, r1\n\t"
        "bne.w 2b\n\t"
        "ldr r3, [sp, #16]\n\t"
        "ldr r6, [sp, #20]\n\t"
        "ldr r12, [sp, #24]\n\t"
        "ldr r7, [r3], #4\n\t"
        "ldr r8, [r3], #4\n\t"
        "subs r4, r4, r5\n\t"
        "str r3, [sp, #16]\n\t"
        "add.w r4, r7, r4, asr #8\n\t"
        "add.w r5, r8, r5\n\t" CODE("r4") "add r6, r6, r12\n\t" CODE("r5") "add r6, r6, r12\n\t"
                                                                           "ldr r3, [sp, #28]\n\t"
                                                                           "ldr r7, [sp, #32]\n\t"
                                                                           "str r6, [sp, #20]\n\t"
                                                                           "strb r4, [r3], #1\n\t"
                                                                           "strb r5, [r3], #1\n\t"
                                                                           "subs r7, #1\n\t"
                                                                           "str r3, [sp, #28]\n\t"
                                                                           "str r7, [sp, #32]\n\t"
                                                                           "bne.w 1b\n\t"
                                                                           "add sp, sp, #36\n\t"
                                                                           "pop {r4-r11, pc}");
}

#endif
