/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_fully_connected_s8_offset(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s8_offset_t *whole = (const dimmer_fully_connected_s8_offset_t *)record;
    const dimmer_fully_connected_s8_t *r = &whole->dense;
    const int32_t *bias = model->params + r->bias;
    const int32_t *scale = model->params + r->scales;
    const int32_t zero = whole->input_zero_point;
    const int32_t offset = whole->weights_zero_point;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;

    dimmer_require_dense(r);
    DIMMER_ASSERT(r->per_channel == 0u);
    for (row = 0; row < r->rows; ++row, input += r->input_c) {
        const int8_t *weights = model->weights + r->weights;
        uint32_t o;

        for (o = 0; o < r->output_c; ++o, weights += r->input_c) {
            int32_t sum = bias[o];
            uint32_t i;

            for (i = 0; i < r->input_c; ++i) {
                sum += (input[i] - zero) * (weights[i] - offset);
            }
            *output++ = dimmer_clamp_s8(dimmer_scale_in_double(sum, scale) + r->output_zero_point,
                                        r->activation_min, r->activation_max);
        }
    }
}
