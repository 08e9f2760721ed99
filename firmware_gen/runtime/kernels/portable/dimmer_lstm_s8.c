/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_kernels.h"
#include "squash.h"
#include "../common/dot.h"
#include "../common/require.h"

#define GATES 4 /* input, forget, cell, output */

typedef struct {
    const dimmer_lstm_s8_t *r;
    const int8_t *input_weights;
    const int8_t *recurrent_weights;
    const int32_t *input_bias;
    const int32_t *recurrent_bias;
} layer_t;

/* The gates of one cell, before sigmoid and tanh. */
static void gates_of(const layer_t *layer, size_t cell, const int8_t *input, const int8_t *before,
                     int32_t gates[GATES]) {
    const dimmer_lstm_s8_t *r = layer->r;
    int32_t sums[GATES];
    int i;

    memcpy(sums, layer->input_bias + cell * GATES, sizeof sums);
    dimmer_dot_1x4(layer->input_weights + cell * GATES * r->inputs, input, r->inputs, sums);
    for (i = 0; i < GATES; ++i) {
        gates[i] =
            dimmer_saturate_16(dimmer_requantize(sums[i], r->input_multipliers[i], r->input_shifts[i]));
    }
    memcpy(sums, layer->recurrent_bias + cell * GATES, sizeof sums);
    dimmer_dot_1x4(layer->recurrent_weights + cell * GATES * r->cells, before, r->cells, sums);
    for (i = 0; i < GATES; ++i) {
        gates[i] = dimmer_saturate_16(
            gates[i] + dimmer_requantize(sums[i], r->recurrent_multipliers[i], r->recurrent_shifts[i]));
    }
}

/* The cell's output; its state moves on. */
static int8_t cell_of(const dimmer_lstm_s8_t *r, const int32_t gates[GATES], int16_t *state) {
    const int32_t kept = dimmer_rounding_shift(dimmer_sigmoid_16(gates[1]) * *state, 15);
    const int32_t added =
        dimmer_rounding_shift(dimmer_sigmoid_16(gates[0]) * dimmer_tanh_16(gates[2], 3), 15 + r->cell_bits);
    int32_t cell = dimmer_saturate_16(kept + added);
    int32_t hidden;

    if (r->cell_clip > 0) {
        cell = cell > r->cell_clip ? r->cell_clip : cell < -r->cell_clip ? -r->cell_clip : cell;
    }
    *state = (int16_t)cell;
    hidden = dimmer_sigmoid_16(gates[3]) * dimmer_tanh_16(cell, r->cell_bits);
    return dimmer_clamp_s8(dimmer_requantize(hidden, r->hidden_multiplier, r->hidden_shift) +
                               r->hidden_zero_point,
                           INT8_MIN, INT8_MAX);
}

void dimmer_lstm_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_lstm_s8_t *r = (const dimmer_lstm_s8_t *)record;
    const layer_t layer = {r, model->weights + r->input_weights, model->weights + r->recurrent_weights,
                           model->params + r->input_bias, model->params + r->recurrent_bias};
    const int8_t *input = (const int8_t *)(arena + r->input);
    const int8_t *before = (const int8_t *)(arena + r->output_state);
    int8_t *output = (int8_t *)(arena + r->output);
    int16_t *state = (int16_t *)(void *)(arena + r->cell_state);
    uint32_t step;
    size_t cell;

    DIMMER_ASSERT(r->steps >= 1u && r->inputs >= 1u && r->cells >= 1u && r->cell_bits <= 6u);
    for (step = 0; step < r->steps; ++step, input += r->inputs, output += r->cells) {
        for (cell = 0; cell < r->cells; ++cell) {
            int32_t gates[GATES];

            gates_of(&layer, cell, input, before, gates);
            output[cell] = cell_of(r, gates, state + cell);
        }
        before = output;
    }
    memcpy(arena + r->output_state, before, r->cells);
}
