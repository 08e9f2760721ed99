/* SPDX-License-Identifier: Apache-2.0 */
#include "helium_panel.h"
#include "../common/slice.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

#define WINDOW 3u /* rows and columns of the window where inputs are shared by columns */

void dimmer_helium_copy(int8_t *to, const int8_t *from, uint32_t count) {
    __asm__ volatile("wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [from] "+&r"(from), [to] "+&r"(to)
                     : [count] "r"(count)
                     : "q0", "lr", "cc", "memory");
}

void dimmer_helium_fill(int8_t *to, int32_t value, uint32_t count) {
    __asm__ volatile("vdup.8 q0, %[value]\n\t"
                     "wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+&r"(to)
                     : [count] "r"(count), [value] "r"(value)
                     : "q0", "lr", "cc", "memory");
}

uint32_t dimmer_helium_run_bytes(const dimmer_conv2d_s8_t *r) {
    const uint32_t depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;

    return 2u * ((depth + DIMMER_TILE_BLOCK - 1u) & ~(DIMMER_TILE_BLOCK - 1u));
}

/* As in slice.h: a rounding shift, and a limit. */
typedef struct {
    int32_t shift; /* to the left: 0 where the weights are used as they are */
    int8_t unit;
    int8x16_t low;
    int8x16_t high;
} slice_t;

static slice_t slice_of(uint32_t bits) {
    const int32_t limit = bits == 4u ? 7 : 1;
    slice_t slice;

    slice.shift = bits == 8u ? 0 : bits == 4u ? -4 : -6;
    slice.unit = bits == 2u ? DIMMER_UNIT_2 : DIMMER_UNIT_4;
    slice.low = vdupq_n_s8((int8_t)(bits == 8u ? -128 : -limit));
    slice.high = vdupq_n_s8((int8_t)(bits == 8u ? 127 : limit));
    return slice;
}

/* `left` is for multipliers of 1 and more: small weights have room for it. */
static inline int8x16_t sliced(int8x16_t codes, const slice_t *slice, int32_t left) {
    if (slice->shift != 0) {
        codes = vminq_s8(vmaxq_s8(vrshlq_n_s8(codes, slice->shift), slice->low), slice->high);
        codes = vshlq_r_s8(vmulq_n_s8(codes, slice->unit), left);
    }
    return codes;
}

static int32_t left_of(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t channel) {
    const int32_t shift = model->shifts[r->shifts + channel];

    return shift > 0 ? shift : 0;
}

/* The weights of channels a and b as they lie, then 0; a short run's blocks from the last to the first. */
static int8_t *in_one_run(const int8_t *a, const int8_t *b, uint32_t depth, uint32_t bytes,
                          const slice_t *slice, const int32_t left[2], int8_t *to) {
    int8_t *const end = to + bytes;
    int32_t step = (int32_t)(2u * DIMMER_TILE_BLOCK);

    if (bytes <= DIMMER_SHORT_RUN) {
        to = end - step;
        step = -step;
    }
    if (slice->shift == 0) {
        __asm__ volatile("wls lr, %[blocks], 2f\n"
                         "1:\n\t"
                         "vldrb.8 q0, [%[a]], #16\n\t"
                         "vldrb.8 q1, [%[b]], #16\n\t"
                         "vstrb.8 q0, [%[to]]\n\t"
                         "vstrb.8 q1, [%[to], #16]\n\t"
                         "add %[to], %[to], %[step]\n\t"
                         "le lr, 1b\n"
                         "2:"
                         : [a] "+&r"(a), [b] "+&r"(b), [to] "+&r"(to)
                         : [blocks] "r"(depth / DIMMER_TILE_BLOCK), [step] "r"(step)
                         : "q0", "q1", "lr", "cc", "memory");
        depth %= DIMMER_TILE_BLOCK;
    }
    for (; depth >= DIMMER_TILE_BLOCK; depth -= DIMMER_TILE_BLOCK) {
        vst1q_s8(to, sliced(vld1q_s8(a), slice, left[0]));
        vst1q_s8(to + DIMMER_TILE_BLOCK, sliced(vld1q_s8(b), slice, left[1]));
        a += DIMMER_TILE_BLOCK;
        b += DIMMER_TILE_BLOCK;
        to += step;
    }
    if (depth != 0u) {
        const mve_pred16_t rest = vctp8q(depth);

        vst1q_s8(to, sliced(vld1q_z_s8(a, rest), slice, left[0]));
        vst1q_s8(to + DIMMER_TILE_BLOCK, sliced(vld1q_z_s8(b, rest), slice, left[1]));
    }
    return end;
}

/* Slices of 16 channels one after the other, each with its nine taps; of windows two columns apart the second
 * column of the taps is last. */
static int8_t *by_slices(const int8_t *a, const int8_t *b, uint32_t channels, uint32_t stride,
                         const slice_t *slice, const int32_t left[2], int8_t *to) {
    const int8_t *const end = a + channels;
    const uint32_t second = (stride == 1u ? 1u : 2u) * channels;
    const uint32_t third = (stride == 1u ? 2u : 1u) * channels;

    for (; a != end; a += DIMMER_TILE_BLOCK, b += DIMMER_TILE_BLOCK) {
        uint32_t row;

        for (row = 0; row < WINDOW; ++row) {
            const int8_t *const from_a = a + row * WINDOW * channels;
            const int8_t *const from_b = b + row * WINDOW * channels;

            vst1q_s8(to, sliced(vld1q_s8(from_a), slice, left[0]));
            vst1q_s8(to + DIMMER_TILE_BLOCK, sliced(vld1q_s8(from_b), slice, left[1]));
            vst1q_s8(to + 2u * DIMMER_TILE_BLOCK, sliced(vld1q_s8(from_a + second), slice, left[0]));
            vst1q_s8(to + 3u * DIMMER_TILE_BLOCK, sliced(vld1q_s8(from_b + second), slice, left[1]));
            vst1q_s8(to + 4u * DIMMER_TILE_BLOCK, sliced(vld1q_s8(from_a + third), slice, left[0]));
            vst1q_s8(to + 5u * DIMMER_TILE_BLOCK, sliced(vld1q_s8(from_b + third), slice, left[1]));
            to += 2u * WINDOW * DIMMER_TILE_BLOCK;
        }
    }
    return to;
}

static int8_t *ends(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t a, uint32_t b,
                    int32_t place, int8_t *to) {
    const int32_t shift_a = model->shifts[r->shifts + a];
    const int32_t shift_b = model->shifts[r->shifts + b];
    int32_t *words = (int32_t *)(void *)to;

    words[0] = model->params[r->multipliers + a];
    words[1] = shift_a < 0 ? shift_a : 0;
    words[2] = model->params[r->multipliers + b];
    words[3] = shift_b < 0 ? shift_b : 0;
    words[4] = place;
    words[5] = r->output_zero_point;
    words[6] = shift_a < 0 ? 1 : 0;
    words[7] = shift_b < 0 ? 1 : 0;
    return to + DIMMER_PANEL_ENDS / 2u;
}

int8_t *dimmer_helium_panel(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t first,
                            uint32_t end, uint32_t columns, int8_t *to) {
    const uint32_t depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    const slice_t slice = slice_of(r->weight_bits);
    uint32_t c;

    for (c = first; c < end; c += 2u) {
        const uint32_t a = c + 1u == end && c != first ? c - 1u : c;
        const uint32_t b = a + 1u < end ? a + 1u : a;
        const int8_t *const weights_a = model->weights + r->weights + (size_t)a * depth;
        const int8_t *const weights_b = model->weights + r->weights + (size_t)b * depth;
        int32_t *const bias = (int32_t *)(void *)to;
        const int32_t left[2] = {left_of(model, r, a), left_of(model, r, b)};

        vst1q_s32(bias, vshlq_r_s32(vdupq_n_s32(model->params[r->bias + a]), left[0]));
        vst1q_s32(bias + 4, vshlq_r_s32(vdupq_n_s32(model->params[r->bias + b]), left[1]));
        to += DIMMER_PANEL_ENDS / 2u;
        to = columns != 0u
                 ? by_slices(weights_a, weights_b, r->input_c, r->stride_w, &slice, left, to)
                 : in_one_run(weights_a, weights_b, depth, dimmer_helium_run_bytes(r), &slice, left, to);
        to = ends(model, r, a, b, (int32_t)(a - first), to);
    }
    return to;
}

#endif
