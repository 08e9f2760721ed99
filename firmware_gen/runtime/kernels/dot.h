/* The inner loops that convolution and fully connected share: dot products of int8 runs.
 * Two by two operands halve the loads; eight steps a turn hide the loop. */
#ifndef DIMMER_DOT_H
#define DIMMER_DOT_H

#include <stdint.h>

/* sums[2 * i + j] += sum over k of a_i[k] * b_j[k] */
static inline void dimmer_dot_2x2(const int8_t *a0, const int8_t *a1, const int8_t *b0, const int8_t *b1,
                                  uint32_t count, int32_t sums[4]) {
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    const int8_t *const end = a0 + count;
    const int8_t *const unrolled_end = a0 + (count & ~(uint32_t)7);

#define DIMMER_DOT_STEP(k)                                                                                   \
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
    while (a0 != unrolled_end) {
        DIMMER_DOT_STEP(0)
        DIMMER_DOT_STEP(1)
        DIMMER_DOT_STEP(2)
        DIMMER_DOT_STEP(3)
        DIMMER_DOT_STEP(4)
        DIMMER_DOT_STEP(5)
        DIMMER_DOT_STEP(6)
        DIMMER_DOT_STEP(7)
        a0 += 8;
        a1 += 8;
        b0 += 8;
        b1 += 8;
    }
    while (a0 != end) {
        DIMMER_DOT_STEP(0)
        ++a0;
        ++a1;
        ++b0;
        ++b1;
    }
#undef DIMMER_DOT_STEP
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#endif
