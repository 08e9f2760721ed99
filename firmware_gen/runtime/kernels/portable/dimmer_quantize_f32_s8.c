/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

/* roundf (halves away from zero) for |x| < 2^23, without libm. */
static int32_t rounded(float x) {
    const int32_t whole = (int32_t)x;
    const float rest = x - (float)whole;

    if (rest >= 0.5f) {
        return whole + 1;
    }
    return rest <= -0.5f ? whole - 1 : whole;
}

void dimmer_quantize_f32_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_quantize_f32_s8_t *r = (const dimmer_quantize_f32_s8_t *)record;
    const float *input = (const float *)(const void *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t i;

    DIMMER_ASSERT(r->scale > 0.0f);
    DIMMER_ASSERT(r->input % 4u == 0u);
    (void)model;
    for (i = 0; i < r->elements; ++i) {
        float x = input[i] / r->scale;

        /* Anything beyond saturates all the same; written so that NaN ends up at the lower limit. */
        x = x > -512.0f ? x : -512.0f;
        x = x < 512.0f ? x : 512.0f;
        output[i] = dimmer_clamp_s8(rounded(x) + r->zero_point, INT8_MIN, INT8_MAX);
    }
}
