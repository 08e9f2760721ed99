#include "../fixedpoint.h"
#include "dimmer_kernels.h"
#include "dot.h"

void dimmer_fully_connected_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_fully_connected_s8_t *r = (const dimmer_fully_connected_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    const int8_t *weights = model->weights + r->weights;
    const int32_t *bias = model->params + r->bias;
    const int32_t *scales = model->params + r->scales;
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;

    for (row = 0; row < r->rows; row += 2u) {
        const uint32_t next_row = row + 1u < r->rows ? row + 1u : row;
        uint32_t c;

        for (c = 0; c < r->output_c; c += 2u) {
            const uint32_t next_c = c + 1u < r->output_c ? c + 1u : c;
            const uint32_t rows[2] = {row, next_row};
            const uint32_t channels[2] = {c, next_c};
            int32_t sums[4];
            uint32_t i;

            sums[0] = bias[c];
            sums[1] = sums[0];
            sums[2] = bias[next_c];
            sums[3] = sums[2];
            dimmer_dot_2x2(weights + (size_t)c * r->input_c, weights + (size_t)next_c * r->input_c,
                           input + (size_t)row * r->input_c, input + (size_t)next_row * r->input_c,
                           r->input_c, sums);
            for (i = 0; i < 4u; ++i) {
                const uint32_t channel = channels[i >> 1];
                const int32_t *scale = r->per_channel != 0u ? scales + 2u * (size_t)channel : scales;

                output[(size_t)rows[i & 1u] * r->output_c + channel] =
                    dimmer_clamp_s8(dimmer_scale_in_double(sums[i], scale) + r->output_zero_point,
                                    r->activation_min, r->activation_max);
            }
        }
    }
}
