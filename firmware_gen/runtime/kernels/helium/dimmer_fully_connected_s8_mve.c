/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>
#include <string.h>

#define GROUP 4u /* channels that share a walk over a row */

/* sums[i] = sum of rows[i][k] * x[k], k < count */
static void dots(const int8_t *const rows[GROUP], const int8_t *x, uint32_t count, int32_t sums[GROUP]) {
    const int8_t *w0 = rows[0];
    const int8_t *w1 = rows[1];
    const int8_t *w2 = rows[2];
    const int8_t *w3 = rows[3];
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;

    /* Te: an even register, as VMLADAVA needs. */
    __asm__("dlstp.8 lr, %[count]\n"
            "1:\n\t"
            "vldrb.8 q0, [%[x]], #16\n\t"
            "vldrb.8 q1, [%[w0]], #16\n\t"
            "vmladava.s8 %[s0], q0, q1\n\t"
            "vldrb.8 q1, [%[w1]], #16\n\t"
            "vmladava.s8 %[s1], q0, q1\n\t"
            "vldrb.8 q1, [%[w2]], #16\n\t"
            "vmladava.s8 %[s2], q0, q1\n\t"
            "vldrb.8 q1, [%[w3]], #16\n\t"
            "vmladava.s8 %[s3], q0, q1\n\t"
            "letp lr, 1b"
            : [x] "+&r"(x), [w0] "+&r"(w0), [w1] "+&r"(w1), [w2] "+&r"(w2), [w3] "+&r"(w3), [s0] "+&Te"(s0),
              [s1] "+&Te"(s1), [s2] "+&Te"(s2), [s3] "+&Te"(s3)
            : [count] "r"(count)
            : "q0", "q1", "lr", "cc", "memory");
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* In double, as TFLite's reference does it, halves away from 0: what VCVTA rounds to. */
static int32x4_t scaled(int32x4_t sums, const int32_t scales[2u * GROUP]) {
    int32x4_t result;
#if defined(__ARM_FP) && (__ARM_FP & 8) != 0
    __asm__("vmov q1, %q[sums]\n\t"
            "vldmia %[scales], {d8-d11}\n\t"
            "vcvt.f64.s32 d0, s4\n\t"
            "vcvt.f64.s32 d1, s5\n\t"
            "vcvt.f64.s32 d2, s6\n\t"
            "vmul.f64 d8, d8, d0\n\t"
            "vmul.f64 d9, d9, d1\n\t"
            "vmul.f64 d10, d10, d2\n\t"
            "vcvt.f64.s32 d3, s7\n\t"
            "vmul.f64 d11, d11, d3\n\t"
            "vcvta.s32.f64 s0, d8\n\t"
            "vcvta.s32.f64 s1, d9\n\t"
            "vcvta.s32.f64 s2, d10\n\t"
            "vcvta.s32.f64 s3, d11\n\t"
            "vmov %q[result], q0"
            : [result] "=w"(result)
            : [sums] "w"(sums), [scales] "r"(scales), "m"(*(const int32_t (*)[2u * GROUP]) scales)
            : "q0", "q1", "q4", "q5");
#else
    int32_t values[GROUP];
    uint32_t i;

    vst1q_s32(values, sums);
    for (i = 0; i < GROUP; ++i) {
        values[i] = dimmer_scale_in_double(values[i], scales + 2u * i);
    }
    result = vld1q_s32(values);
#endif
    return result;
}

typedef struct {
    const dimmer_fully_connected_s8_t *r;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *scales;
    int32_t one_scale[2u * GROUP]; /* where all channels have the same */
} layer_t;

/* `count` channels, 1 to 4, from `first` on, for one row of the input. */
static void some_channels(const layer_t *layer, const int8_t *input, uint32_t first, uint32_t count,
                          int8_t *output) {
    const dimmer_fully_connected_s8_t *r = layer->r;
    const uint32_t depth = r->input_c;
    const mve_pred16_t those = vctp32q(count);
    const int8_t *rows[GROUP];
    const int32_t *scales = layer->one_scale;
    int32_t rest[2u * GROUP];
    int32_t sums[GROUP];
    int32x4_t result;
    uint32_t i;

    rows[0] = layer->weights + (size_t)first * depth;
    for (i = 1; i < GROUP; ++i) {
        rows[i] = i < count ? rows[i - 1u] + depth : rows[i - 1u];
    }
    dots(rows, input, depth, sums);
    result = vaddq_s32(vld1q_s32(sums), vld1q_z_s32(layer->bias + first, those));
    if (r->per_channel != 0u) {
        scales = layer->scales + 2u * (size_t)first;
        if (count < GROUP) {
            memcpy(rest, layer->one_scale, sizeof rest);
            memcpy(rest, scales, 2u * count * sizeof *scales);
            scales = rest;
        }
    }
    result = vaddq_n_s32(scaled(result, scales), r->output_zero_point);
    result = vminq_s32(vmaxq_s32(result, vdupq_n_s32(r->activation_min)), vdupq_n_s32(r->activation_max));
    vstrbq_p_s32(output + first, result, those);
}

void dimmer_fully_connected_s8_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s8_t *r = (const dimmer_fully_connected_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    layer_t layer;
    uint32_t row;
    uint32_t i;

    dimmer_require_dense(r);
    layer.r = r;
    layer.weights = model->weights + r->weights;
    layer.bias = model->params + r->bias;
    layer.scales = model->params + r->scales;
    for (i = 0; i < 2u * GROUP; ++i) {
        layer.one_scale[i] = layer.scales[i & 1u];
    }
    for (row = 0; row < r->rows; ++row, input += r->input_c, output += r->output_c) {
        uint32_t channel;

        for (channel = 0; channel < r->output_c; channel += GROUP) {
            const uint32_t left = r->output_c - channel;

            some_channels(&layer, input, channel, left < GROUP ? left : GROUP, output);
        }
    }
}

#endif
