/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/assembly.h"
#include "../common/dot.h"

#if defined(__ARM_FEATURE_DSP)

/* Four bytes of either b, as int16: bytes 0 and 2 to r8 and r10, bytes 1 and 3 to r9 and r11. */
#define LOAD_B                                                                                               \
    "ldr r9, [r2], #4\n\t"                                                                                   \
    "ldr r11, [r3], #4\n\t"                                                                                  \
    "sxtb16 r8, r9\n\t"                                                                                      \
    "sxtb16 r10, r11\n\t"                                                                                    \
    "sxtb16 r9, r9, ror #8\n\t"                                                                              \
    "sxtb16 r11, r11, ror #8\n\t"

/* Four bytes of an a, with both b. */
#define MULTIPLY(a, sum0, sum1)                                                                              \
    "ldr lr, [" a "], #4\n\t"                                                                                \
    "sxtb16 r12, lr\n\t"                                                                                     \
    "sxtb16 lr, lr, ror #8\n\t"                                                                              \
    "smlad " sum0 ", r12, r8, " sum0 "\n\t"                                                                  \
    "smlad " sum1 ", r12, r10, " sum1 "\n\t"                                                                 \
    "smlad " sum0 ", lr, r9, " sum0 "\n\t"                                                                   \
    "smlad " sum1 ", lr, r11, " sum1 "\n\t"

#define FOUR_STEPS LOAD_B MULTIPLY("r0", "r4", "r5") MULTIPLY("r1", "r6", "r7")

/* Assembly, because a compiler's allocation of the 14 registers that the loop needs spills into every turn:
 * 43 instructions for 32 products. All of it, because no statement within C may have as many: some belong to
 * the compiler, how many depends on its options. Words need no alignment on a core with this extension. r0 to
 * r3: a0, a1, b0, b1; r4 to r7: sums. On the stack: 0 the end of a0's eights, 40 count, 44 where the sums go.
 */
DIMMER_ASSEMBLY void dimmer_dot_2x2(const int8_t *a0 DIMMER_REGISTER, const int8_t *a1 DIMMER_REGISTER,
                                    const int8_t *b0 DIMMER_REGISTER, const int8_t *b1 DIMMER_REGISTER,
                                    uint32_t count DIMMER_REGISTER, int32_t sums[4] DIMMER_REGISTER) {
    __asm__ volatile("push {r3-r11, lr}\n\t"
                     "ldrd r8, r9, [sp, #40]\n\t"
                     "ldmia.w r9, {r4-r7}\n\t"
                     "bics r10, r8, #7\n\t"
                     "add r10, r10, r0\n\t"
                     "str r10, [sp]\n\t"
                     "beq 2f\n"
                     "1:\n\t" FOUR_STEPS FOUR_STEPS "ldr lr, [sp]\n\t"
                     "cmp lr, r0\n\t"
                     "bne 1b\n\t"
                     "ldr r8, [sp, #40]\n"
                     "2:\n\t"
                     "ands r8, r8, #7\n\t"
                     "beq 4f\n\t"
                     "add r8, r8, r0\n"
                     "3:\n\t"
                     "ldrsb r9, [r0], #1\n\t"
                     "ldrsb r10, [r1], #1\n\t"
                     "ldrsb r11, [r2], #1\n\t"
                     "ldrsb r12, [r3], #1\n\t"
                     "mla r4, r9, r11, r4\n\t"
                     "mla r5, r9, r12, r5\n\t"
                     "mla r6, r10, r11, r6\n\t"
                     "mla r7, r10, r12, r7\n\t"
                     "cmp r0, r8\n\t"
                     "bne 3b\n"
                     "4:\n\t"
                     "ldr r8, [sp, #44]\n\t"
                     "stmia.w r8, {r4-r7}\n\t"
                     "pop {r3-r11, pc}");
}

#endif
