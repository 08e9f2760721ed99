/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/walk.h"

#if !defined(__ARM_FEATURE_DSP)

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
            s0 += from[0] * y[0];
            s1 += from[1] * y[1];
            s2 += from[2] * y[2];
            s3 += from[3] * y[3];
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
