/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

#define LANES 4u /* elements of the output */

static int32x4_t summed(const int8_t *from, uint32_t count, uint32_t step, mve_pred16_t those) {
    int32x4_t sum = vdupq_n_s32(0);

    for (; count != 0u; --count, from += step) {
        sum = vaddq_s32(sum, vldrbq_z_s32(from, those));
    }
    return sum;
}

/* TFLite's MultiplyByQuantizedMultiplier. */
static int32x4_t requantized(int32x4_t x, int32_t multiplier, int32_t shift) {
    if (shift >= 0) {
        return vqrdmulhq_n_s32(vshlq_r_s32(x, shift), multiplier);
    }
    x = vqrdmulhq_n_s32(x, multiplier);
    /* VRSHL rounds a half up, TFLite that of a negative number down. */
    return vrshlq_n_s32(vaddq_s32(x, vshrq_n_s32(x, 31)), shift);
}

void dimmer_mean_s8_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_mean_s8_mve_t *r = (const dimmer_mean_s8_mve_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    const int32_t zero = r->input_zero_point * (int32_t)r->reduce1;
    uint32_t o;
    uint32_t i;

    DIMMER_ASSERT(r->reduce2 == 1u && r->reduce1 >= 1u && r->reduce1 < 1u << 23);
    DIMMER_ASSERT(r->shift >= -31 && r->shift <= 30);
    (void)model;
    for (o = 0; o < r->outer; ++o, input += (size_t)r->inner * r->reduce1, output += r->inner) {
        for (i = 0; i < r->inner; i += LANES) {
            const mve_pred16_t those = vctp32q(r->inner - i);
            int32x4_t x = summed(input + i, r->reduce1, r->inner, those);

            x = requantized(vsubq_n_s32(x, zero), r->multiplier, r->shift);
            x = vaddq_n_s32(x, r->output_zero_point);
            x = vminq_s32(vmaxq_s32(x, vdupq_n_s32(INT8_MIN)), vdupq_n_s32(INT8_MAX));
            vstrbq_p_s32(output + i, x, those);
        }
    }
}

#endif
