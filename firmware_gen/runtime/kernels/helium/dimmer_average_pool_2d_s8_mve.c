/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/pool.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

#define LANES 8u /* channels */

/* Rounded quotients, halves away from 0, of sums of at most 256 codes: a product with the rounded up inverse
 * of `count`, whose error is too small to matter below 2^16. */
static int32x4_t divided(int32x4_t sums, uint32_t count) {
    const uint32x4_t magnitude =
        vaddq_n_u32(vreinterpretq_u32_s32(vabsq_s32(sums)), count > 1u ? count / 2u : 0u);
    const uint32x4_t quotient =
        count > 1u ? vmulhq_u32(magnitude, vdupq_n_u32(UINT32_MAX / count + 1u)) : magnitude;
    const int32x4_t result = vreinterpretq_s32_u32(quotient);

    return vnegq_m_s32(result, result, vcmpltq_n_s32(sums, 0));
}

/* Sums of eight channels over a window. */
static int16x8_t summed(const dimmer_pool_window_t *w, const int8_t *from, uint32_t channels,
                        size_t row_bytes, mve_pred16_t those) {
    int16x8_t sum = vdupq_n_s16(0);
    uint32_t y;
    uint32_t x;

    for (y = w->rows; y != 0u; --y, from += row_bytes) {
        const int8_t *at = from;

        for (x = w->columns; x != 0u; --x, at += channels) {
            sum = vaddq_s16(sum, vldrbq_z_s16(at, those));
        }
    }
    return sum;
}

void dimmer_average_pool_2d_s8_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_average_pool_2d_s8_mve_t *r = (const dimmer_average_pool_2d_s8_mve_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    const int16x8_t low = vdupq_n_s16(r->activation_min);
    const int16x8_t high = vdupq_n_s16(r->activation_max);
    const uint32_t channels = r->channels;
    const size_t row_bytes = (size_t)r->input_w * channels;
    uint32_t batch;

    dimmer_require_pool(r);
    DIMMER_ASSERT((uint32_t)r->window_h * r->window_w <= 256u);
    (void)model;
    for (batch = 0; batch < r->batches; ++batch, input += r->input_h * row_bytes) {
        int32_t y;
        int32_t x;

        for (y = 0; y < r->output_h; ++y) {
            for (x = 0; x < r->output_w; ++x, output += channels) {
                const dimmer_pool_window_t w = dimmer_pool_window(r, input, y, x);
                const uint32_t count = w.rows * w.columns;
                uint32_t c;

                for (c = 0; c < channels; c += LANES) {
                    const mve_pred16_t those = vctp16q(channels - c);
                    const int16x8_t sum = summed(&w, w.first + c, channels, row_bytes, those);
                    int16x8_t result = vmovnbq_s32(sum, divided(vmovlbq_s16(sum), count));

                    result = vmovntq_s32(result, divided(vmovltq_s16(sum), count));
                    vstrbq_p_s16(output + c, vminq_s16(vmaxq_s16(result, low), high), those);
                }
            }
        }
    }
}

#endif
