/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/dot.h"

#if defined(__ARM_FEATURE_DSP)

/* Four bytes of either b, as int16: bytes 0 and 2 to b0e and b1e, bytes 1 and 3 to b0o and b1o. */
#define LOAD_B                                                                                               \
    "ldr %[b0o], [%[b0]], #4\n\t"                                                                            \
    "ldr %[b1o], [%[b1]], #4\n\t"                                                                            \
    "sxtb16 %[b0e], %[b0o]\n\t"                                                                              \
    "sxtb16 %[b1e], %[b1o]\n\t"                                                                              \
    "sxtb16 %[b0o], %[b0o], ror #8\n\t"                                                                      \
    "sxtb16 %[b1o], %[b1o], ror #8\n\t"

/* Four bytes of an a, with both b. */
#define MULTIPLY(a, sum0, sum1)                                                                              \
    "ldr %[ao], [%[" a "]], #4\n\t"                                                                          \
    "sxtb16 %[ae], %[ao]\n\t"                                                                                \
    "sxtb16 %[ao], %[ao], ror #8\n\t"                                                                        \
    "smlad %[" sum0 "], %[ae], %[b0e], %[" sum0 "]\n\t"                                                      \
    "smlad %[" sum1 "], %[ae], %[b1e], %[" sum1 "]\n\t"                                                      \
    "smlad %[" sum0 "], %[ao], %[b0o], %[" sum0 "]\n\t"                                                      \
    "smlad %[" sum1 "], %[ao], %[b1o], %[" sum1 "]\n\t"

#define FOUR_STEPS LOAD_B MULTIPLY("a0", "s0", "s1") MULTIPLY("a1", "s2", "s3")

/* Assembly, because a compiler's allocation of the 14 registers that this needs spills into every turn:
 * 43 instructions for 32 products. Words need no alignment on a core with this extension. */
void dimmer_dot_2x2(const int8_t *a0, const int8_t *a1, const int8_t *b0, const int8_t *b1, uint32_t count,
                    int32_t sums[4]) {
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    const int8_t *const end = a0 + (count & ~(uint32_t)7);

    if (count >= 8u) {
        uint32_t ae;
        uint32_t ao;
        uint32_t b0e;
        uint32_t b0o;
        uint32_t b1e;
        uint32_t b1o;

        __asm__ volatile("1:\n\t" FOUR_STEPS FOUR_STEPS "ldr %[ao], %[end]\n\t"
                         "cmp %[ao], %[a0]\n\t"
                         "bne 1b\n\t"
                         : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [a0] "+&r"(a0),
                           [a1] "+&r"(a1), [b0] "+&r"(b0), [b1] "+&r"(b1), [ae] "=&r"(ae), [ao] "=&r"(ao),
                           [b0e] "=&r"(b0e), [b0o] "=&r"(b0o), [b1e] "=&r"(b1e), [b1o] "=&r"(b1o)
                         : [end] "m"(end)
                         : "cc", "memory");
    }
    for (count &= 7u; count != 0u; --count) {
        const int32_t x0 = *a0++;
        const int32_t x1 = *a1++;
        const int32_t y0 = *b0++;
        const int32_t y1 = *b1++;

        s0 += x0 * y0;
        s1 += x0 * y1;
        s2 += x1 * y0;
        s3 += x1 * y1;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#endif
