/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/dot.h"

#if !defined(__ARM_FEATURE_DSP)

/* A function of its own, not inlined: all registers are its own, and flash holds it once.
 * Two by two operands halve the loads, eight steps a turn hide the loop. */
void dimmer_dot_2x2(const int8_t *a0, const int8_t *a1, const int8_t *b0, const int8_t *b1, uint32_t count,
                    int32_t sums[4]) {
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    const int8_t *end = a0 + (count & ~(uint32_t)7);

#define STEP(k)                                                                                              \
    {                                                                                                        \
        const int32_t x0 = a0[k];                                                                            \
        const int32_t x1 = a1[k];                                                                            \
        const int32_t y0 = b0[k];                                                                            \
        const int32_t y1 = b1[k];                                                                            \
        s0 += x0 * y0;                                                                                       \
        s1 += x0 * y1;                                                                                       \
        s2 += x1 * y0;                                                                                       \
        s3 += x1 * y1;                                                                                       \
    }
#define FOUR_STEPS(k) STEP(k) STEP((k) + 1) STEP((k) + 2) STEP((k) + 3)
#define ADVANCE(n)                                                                                           \
    a0 += (n);                                                                                               \
    a1 += (n);                                                                                               \
    b0 += (n);                                                                                               \
    b1 += (n)
    while (a0 != end) {
        FOUR_STEPS(0)
        FOUR_STEPS(4)
        ADVANCE(8);
    }
    for (end = a0 + (count & 7u); a0 != end;) {
        STEP(0)
        ADVANCE(1);
    }
#undef STEP
#undef FOUR_STEPS
#undef ADVANCE
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#endif
