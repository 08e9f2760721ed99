/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_requantize_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_requantize_s8_t *r = (const dimmer_requantize_s8_t *)record;
    const uint8_t *input = arena + r->input;
    uint8_t *output = arena + r->output;
    uint32_t i;

    DIMMER_ASSERT(r->shift >= -31 && r->shift <= 30);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
    (void)model;
    for (i = 0; i < r->elements; ++i) {
        const int32_t x = r->input_unsigned ? (int32_t)input[i] : (int32_t)(int8_t)input[i];
        int32_t y =
            dimmer_requantize(x - r->input_zero_point, r->multiplier, r->shift) + r->output_zero_point;

        y = y < r->activation_min ? r->activation_min : y;
        y = y > r->activation_max ? r->activation_max : y;
        output[i] = (uint8_t)y;
    }
}
