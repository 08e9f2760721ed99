/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"
#include "../common/assembly.h"
#include "frame_thumb.h"

#if defined(__thumb2__)

/* Assembly for the reasons given in panel_thumb.c.
 * r0, r1: weights, pixels. r2, r3, r12, lr: sums. Bit 15 of a product, the sign of what is below the two
 * products, is what the shift leaves in the carry. 16 products take 26 instructions. */
#define PRODUCT(w, x, sum)                                                                                   \
    "mul " x ", " w ", " x "\n\t"                                                                            \
    "asrs " x ", " x ", #16\n\t"                                                                             \
    "adcs " sum ", " sum ", " x "\n\t"
#define STEP(w)                                                                                              \
    "ldmia.w r1!, {r4, r5, r6, r7}\n\t" PRODUCT(w, "r4", "r2") PRODUCT(w, "r5", "r3")                        \
        PRODUCT(w, "r6", "r12") PRODUCT(w, "r7", "lr")
#define FOUR_STEPS "ldmia.w r0!, {r8, r9, r10, r11}\n\t" STEP("r8") STEP("r9") STEP("r10") STEP("r11")

/* The loop is entered in the middle where length is no multiple of a turn. On the stack: 0 the end of this
 * plane's weights, 4 the end of all weights, 8 bytes of a plane's weights, 12 pixels, 16 bit 2 of length; 56
 * sums. */
DIMMER_ASSEMBLY void dimmer_pairs(const int32_t *weights DIMMER_REGISTER,
                                  const int32_t *pixels DIMMER_REGISTER, uint32_t planes DIMMER_REGISTER,
                                  uint32_t length DIMMER_REGISTER, int32_t *sums DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "sub sp, #20\n\t"
                     "lsl r6, r3, #2\n\t"
                     "mla r5, r2, r6, r0\n\t"
                     "add r4, r0, r6\n\t"
                     "mov r7, r1\n\t"
                     "and r8, r3, #4\n\t"
                     "stmia sp, {r4, r5, r6, r7, r8}\n"
                     "1:\n\t"
                     "mov r2, #0\n\t"
                     "mov r3, #0\n\t"
                     "mov r12, #0\n\t"
                     "mov lr, #0\n\t"
                     "cmp r8, #0\n\t"
                     "bne.w 3f\n"
                     "2:\n\t" FOUR_STEPS "\n"
                     "3:\n\t" FOUR_STEPS "ldr r8, [sp]\n\t"
                     "cmp r0, r8\n\t"
                     "bne.w 2b\n\t"
                     "ldr r4, [sp, #56]\n\t"
                     "stmia r4!, {r2, r3, r12, lr}\n\t"
                     "str r4, [sp, #56]\n\t"
                     "ldmia sp, {r4, r5, r6, r7, r8}\n\t"
                     "mov r1, r7\n\t"
                     "cmp r4, r5\n\t"
                     "add r4, r6\n\t"
                     "str r4, [sp]\n\t"
                     "bne.w 1b\n\t"
                     "add sp, #20\n\t"
                     "pop {r4-r11, pc}\n\t");
}

#elif defined(__thumb__)

/* r0, r1: weights, pixels. r8..r11: sums, r12: 2^15. 32 products take 70 instructions. */
#define PRODUCT(w, x, sum)                                                                                   \
    "muls " x ", " w ", " x "\n\t"                                                                           \
    "add " x ", r12\n\t"                                                                                     \
    "asrs " x ", " x ", #16\n\t"                                                                             \
    "add " sum ", " x "\n\t"
#define STEP(w)                                                                                              \
    "ldmia r1!, {r3, r4, r5, r6}\n\t" PRODUCT(w, "r3", "r8") PRODUCT(w, "r4", "r9") PRODUCT(w, "r5", "r10")  \
        PRODUCT(w, "r6", "r11")
#define TWO_STEPS "ldmia r0!, {r2, r7}\n\t" STEP("r2") STEP("r7")

/* lr: the end of this plane's weights. On the stack: 0 bytes of a plane's weights, 4 the end of all weights,
 * 8 pixels; 48 sums. */
DIMMER_ASSEMBLY void dimmer_pairs(const int32_t *weights DIMMER_REGISTER,
                                  const int32_t *pixels DIMMER_REGISTER, uint32_t planes DIMMER_REGISTER,
                                  uint32_t length DIMMER_REGISTER, int32_t *sums DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t" DIMMER_SAVE_ALL "sub sp, #12\n\t"
                     "lsls r3, r3, #2\n\t"
                     "muls r2, r3, r2\n\t"
                     "adds r2, r2, r0\n\t"
                     "str r3, [sp]\n\t"
                     "str r2, [sp, #4]\n\t"
                     "str r1, [sp, #8]\n\t"
                     "movs r4, #1\n\t"
                     "lsls r4, r4, #15\n\t"
                     "mov r12, r4\n\t"
                     "mov lr, r0\n"
                     "1:\n\t"
                     "ldr r2, [sp]\n\t"
                     "add lr, r2\n\t"
                     "ldr r1, [sp, #8]\n\t"
                     "movs r2, #0\n\t"
                     "mov r8, r2\n\t"
                     "mov r9, r2\n\t"
                     "mov r10, r2\n\t"
                     "mov r11, r2\n"
                     "2:\n\t" TWO_STEPS TWO_STEPS "cmp r0, lr\n\t"
                     "bne 2b\n\t"
                     "ldr r2, [sp, #48]\n\t"
                     "mov r3, r8\n\t"
                     "mov r4, r9\n\t"
                     "mov r5, r10\n\t"
                     "mov r6, r11\n\t"
                     "stmia r2!, {r3, r4, r5, r6}\n\t"
                     "str r2, [sp, #48]\n\t"
                     "ldr r2, [sp, #4]\n\t"
                     "cmp r0, r2\n\t"
                     "bne 1b\n\t"
                     "add sp, #12\n\t" DIMMER_RESTORE_ALL);
}

#else

void dimmer_pairs(const int32_t *weights, const int32_t *pixels, uint32_t planes, uint32_t length,
                  int32_t *sums) {
#if defined(DIMMER_PANEL_HAS_FOUR)
    for (; planes >= 4u; planes -= 4u, sums += 4u * DIMMER_PAIRS_PIXELS) {
        dimmer_pairs_four(weights, pixels, weights + length, sums);
        weights += 4u * (size_t)length;
    }
#endif
    for (; planes != 0u; --planes, sums += DIMMER_PAIRS_PIXELS) {
        const int32_t *const end = weights + length;
        const int32_t *from = pixels;
        int32_t s0 = 0;
        int32_t s1 = 0;
        int32_t s2 = 0;
        int32_t s3 = 0;

        for (; weights != end; ++weights, from += DIMMER_PAIRS_PIXELS) {
            const int32_t w = *weights;

            s0 += dimmer_pair_product(w, from[0]);
            s1 += dimmer_pair_product(w, from[1]);
            s2 += dimmer_pair_product(w, from[2]);
            s3 += dimmer_pair_product(w, from[3]);
        }
        sums[0] = s0;
        sums[1] = s1;
        sums[2] = s2;
        sums[3] = s3;
    }
}

#endif
