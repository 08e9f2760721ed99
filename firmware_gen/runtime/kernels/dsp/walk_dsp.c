/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/walk.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

static inline uint32_t four_bytes(const int8_t *at) {
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Bytes 0 and 2 as two int16. */
static inline uint32_t even(uint32_t bytes) {
    uint32_t pair;

    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
}

/* Bytes 1 and 3 as two int16. */
static inline uint32_t odd(uint32_t bytes) {
    uint32_t pair;

    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
}

#define MULTIPLY_ADD(halves, sum, a, b) __asm__("smla" halves " %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b))

void dimmer_walk_four(const dimmer_walk_t *walk, const int8_t *x, const int8_t *weights, int32_t sums[4]) {
    const size_t step = walk->step;
    const size_t channels = walk->channels;
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    size_t rows;

    for (rows = walk->rows; rows != 0u; --rows) {
        const int8_t *from = x;
        const int8_t *y = weights;
        const int8_t *const end = weights + walk->length;

        for (; y != end; from += step, y += channels) {
            const uint32_t elements = four_bytes(from);
            const uint32_t factors = four_bytes(y);
            const uint32_t e02 = even(elements);
            const uint32_t f02 = even(factors);
            const uint32_t e13 = odd(elements);
            const uint32_t f13 = odd(factors);

            MULTIPLY_ADD("bb", s0, e02, f02);
            MULTIPLY_ADD("tt", s2, e02, f02);
            MULTIPLY_ADD("bb", s1, e13, f13);
            MULTIPLY_ADD("tt", s3, e13, f13);
        }
        x += walk->next_row;
        weights += walk->next_weights;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#endif
