/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/dot.h"

/* A function of its own, not inlined: all registers are its own. */
void dimmer_dot_1x4(const int8_t *weights, const int8_t *x, uint32_t count, int32_t sums[4]) {
    const int8_t *w0 = weights;
    const int8_t *w1 = w0 + count;
    const int8_t *w2 = w1 + count;
    const int8_t *w3 = w2 + count;
    const int8_t *end = x + (count & ~(uint32_t)3);
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];

#define STEP(k)                                                                                              \
    {                                                                                                        \
        const int32_t value = x[k];                                                                          \
        s0 += w0[k] * value;                                                                                 \
        s1 += w1[k] * value;                                                                                 \
        s2 += w2[k] * value;                                                                                 \
        s3 += w3[k] * value;                                                                                 \
    }
#define ADVANCE(n)                                                                                           \
    x += (n);                                                                                                \
    w0 += (n);                                                                                               \
    w1 += (n);                                                                                               \
    w2 += (n);                                                                                               \
    w3 += (n)
    while (x != end) {
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
        ADVANCE(4);
    }
    for (end += count & 3u; x != end;) {
        STEP(0)
        ADVANCE(1);
    }
#undef STEP
#undef ADVANCE
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}
