/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

/* Beyond the codes on either side. */
#define FAR 65536.0f

/* roundf (halves away from zero) for |x| < 2^23, without libm. */
static int32_t rounded(float x) {
    const int32_t whole = (int32_t)x;
    const float rest = x - (float)whole;

    if (rest >= 0.5f) {
        return whole + 1;
    }
    return rest <= -0.5f ? whole - 1 : whole;
}

void dimmer_quantize_f32_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_quantize_f32_s16_t *r = (const dimmer_quantize_f32_s16_t *)record;
    const float *input = (const float *)(const void *)(arena + r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    uint32_t i;

    DIMMER_ASSERT(r->scale > 0.0f);
    (void)model;
    for (i = 0; i < r->elements; ++i) {
        float x = input[i] / r->scale;

        /* Written so that NaN ends up at the lower limit. */
        x = x > -FAR ? x : -FAR;
        x = x < FAR ? x : FAR;
        output[i] = dimmer_clamp_s16(rounded(x), INT16_MIN, INT16_MAX);
    }
}
