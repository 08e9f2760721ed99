/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"
#include "dimmer_small_code.h"

/* exp of an int8 difference <= 0 in Q0.31. */
static int32_t exp_of(const dimmer_softmax_s8_t *r, int32_t difference) {
    return dimmer_exp_on_negative(
        dimmer_high_mul((int32_t)((uint32_t)difference << r->left_shift), r->multiplier), 5);
}

void dimmer_softmax_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_softmax_s8_t *r = (const dimmer_softmax_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;
    uint32_t i;

    DIMMER_ASSERT(r->depth >= 1u && r->depth <= 4096u);
    DIMMER_ASSERT(r->left_shift >= 0 && r->left_shift <= 31);
    (void)model;
    for (row = 0; row < r->rows; ++row, input += r->depth, output += r->depth) {
        int32_t largest = INT8_MIN;
        uint32_t sum = 0; /* Q13.19: 4096 of the largest code are 2^31 */
        int32_t reciprocal;
        int headroom = 0;

        for (i = 0; i < r->depth; ++i) {
            largest = input[i] > largest ? input[i] : largest;
        }
        for (i = 0; i < r->depth; ++i) {
            if (input[i] - largest >= r->diff_min) {
                sum += (uint32_t)dimmer_rounding_shift(exp_of(r, input[i] - largest), 12);
            }
        }
        while (((sum << headroom) & 0x80000000u) == 0u) {
            ++headroom;
        }
        reciprocal = dimmer_reciprocal_of_one_plus((int32_t)((sum << headroom) - 0x80000000u));
        for (i = 0; i < r->depth; ++i) {
            int32_t value = INT8_MIN;

            if (input[i] - largest >= r->diff_min) {
                value += dimmer_rounding_shift(dimmer_high_mul(reciprocal, exp_of(r, input[i] - largest)),
                                               12 - headroom + 31 - 8);
            }
            output[i] = dimmer_clamp_s8(value, INT8_MIN, INT8_MAX);
        }
    }
}
