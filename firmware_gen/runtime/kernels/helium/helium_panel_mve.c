/* SPDX-License-Identifier: Apache-2.0 */
#include "helium_panel.h"
#include "../common/assembly.h"
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
    int32_t unit;
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

/* Where the weights of a pair of channels lie, and where they go. */
typedef struct {
    const int8_t *a;
    const int8_t *b;
    uint32_t step; /* bytes from a block to the next */
    int8_t *to;
    int32_t to_step;
} pair_t;

/* Whole channels of `blocks` blocks each, at least one, of at least one pair; `gap` bytes are from the end of
 * a pair's blocks to the next one's. */
#define PAIRS(step)                                                                                          \
    __asm__ volatile("push {r4, r5, r6, lr}\n\t"                                                             \
                     "ldrd r4, r5, [sp, #16]\n"                                                              \
                     "1:\n\t"                                                                                \
                     "add r12, r0, r1, lsl #4\n\t"                                                           \
                     "dls lr, r1\n"                                                                          \
                     "2:\n\t"                                                                                \
                     "vldrb.8 q0, [r0], #16\n\t"                                                             \
                     "vldrb.8 q1, [r12], #16\n\t"                                                            \
                     "vstrb.8 q1, [r2, #16]\n\t"                                                             \
                     "vstrb.8 q0, [r2], " step "\n\t"                                                        \
                     "le lr, 2b\n\t"                                                                         \
                     "mov r0, r12\n\t"                                                                       \
                     "add r2, r5\n\t"                                                                        \
                     "subs r4, #1\n\t"                                                                       \
                     "bne 1b\n\t"                                                                            \
                     "pop {r4, r5, r6, pc}")

DIMMER_ASSEMBLY static void pairs_forward(const int8_t *from DIMMER_REGISTER, uint32_t blocks DIMMER_REGISTER,
                                          int8_t *to DIMMER_REGISTER, uint32_t unused DIMMER_REGISTER,
                                          uint32_t pairs DIMMER_REGISTER, uint32_t gap DIMMER_REGISTER) {
    PAIRS("#32");
}

DIMMER_ASSEMBLY static void pairs_backward(const int8_t *from DIMMER_REGISTER,
                                           uint32_t blocks DIMMER_REGISTER, int8_t *to DIMMER_REGISTER,
                                           uint32_t unused DIMMER_REGISTER, uint32_t pairs DIMMER_REGISTER,
                                           uint32_t gap DIMMER_REGISTER) {
    PAIRS("#-32");
}

/* Blocks that lie apart, at least one, and go one behind the other. */
static inline int8_t *collected(pair_t pair, uint32_t blocks) {
    __asm__ volatile("dls lr, %[blocks]\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[a]]\n\t"
                     "add %[a], %[a], %[step]\n\t"
                     "vldrb.8 q1, [%[b]]\n\t"
                     "add %[b], %[b], %[step]\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "vstrb.8 q1, [%[to]], #16\n\t"
                     "le lr, 1b"
                     : [a] "+&r"(pair.a), [b] "+&r"(pair.b), [to] "+&r"(pair.to)
                     : [blocks] "r"(blocks), [step] "r"(pair.step)
                     : "q0", "q1", "lr", "cc", "memory");
    return pair.to;
}

/* The same of slices, times the units of both channels, `to_step` bytes from one block to the next. */
static inline int8_t *sliced(pair_t pair, uint32_t blocks, const slice_t *slice, const int32_t unit[2]) {
    const int8x16_t unit_a = vdupq_n_s8((int8_t)unit[0]);
    const int8x16_t unit_b = vdupq_n_s8((int8_t)unit[1]);
    const int8x16_t shift = vdupq_n_s8((int8_t)slice->shift);

    __asm__ volatile(
        "wls lr, %[blocks], 2f\n"
        "1:\n\t"
        "vldrb.8 q0, [%[a]]\n\t"
        "vldrb.8 q1, [%[b]]\n\t"
        "add %[a], %[a], %[step]\n\t"
        "add %[b], %[b], %[step]\n\t"
        "vrshl.s8 q0, q0, %q[shift]\n\t"
        "vrshl.s8 q1, q1, %q[shift]\n\t"
        "vmax.s8 q0, q0, %q[low]\n\t"
        "vmax.s8 q1, q1, %q[low]\n\t"
        "vmin.s8 q0, q0, %q[high]\n\t"
        "vmin.s8 q1, q1, %q[high]\n\t"
        "vmul.i8 q0, q0, %q[unit_a]\n\t"
        "vmul.i8 q1, q1, %q[unit_b]\n\t"
        "vstrb.8 q0, [%[to]]\n\t"
        "vstrb.8 q1, [%[to], #16]\n\t"
        "add %[to], %[to], %[to_step]\n\t"
        "le lr, 1b\n"
        "2:"
        : [a] "+&r"(pair.a), [b] "+&r"(pair.b), [to] "+&r"(pair.to)
        : [blocks] "r"(blocks), [step] "r"(pair.step), [to_step] "r"(pair.to_step), [shift] "w"(shift),
          [low] "w"(slice->low), [high] "w"(slice->high), [unit_a] "w"(unit_a), [unit_b] "w"(unit_b)
        : "q0", "q1", "lr", "cc", "memory");
    return pair.to;
}

/* A block's `count` bytes and 0 behind them, times the unit; sliced where that is asked for. */
static inline int8x16_t one_block(const int8_t *from, uint32_t count, const slice_t *slice, int32_t unit) {
    const int8x16_t codes = vld1q_z_s8(from, vctp8q(count));

    if (slice->shift == 0) {
        return codes;
    }
    return vmulq_n_s8(vminq_s8(vmaxq_s8(vrshlq_n_s8(codes, slice->shift), slice->low), slice->high),
                      (int8_t)unit);
}

/* All of a channel's weights in one piece; a short run's blocks go from the last to the first. */
static inline void in_one_run(pair_t pair, uint32_t depth, const slice_t *slice, const int32_t unit[2]) {
    pair.step = DIMMER_TILE_BLOCK;
    if (slice->shift != 0) {
        const uint32_t whole = depth & ~(DIMMER_TILE_BLOCK - 1u);

        pair.to = sliced(pair, whole / DIMMER_TILE_BLOCK, slice, unit);
        pair.a += whole;
        pair.b += whole;
        depth -= whole;
    }
    while (depth != 0u) {
        const uint32_t count = depth < DIMMER_TILE_BLOCK ? depth : DIMMER_TILE_BLOCK;

        vst1q_s8(pair.to, one_block(pair.a, count, slice, unit[0]));
        vst1q_s8(pair.to + DIMMER_TILE_BLOCK, one_block(pair.b, count, slice, unit[1]));
        pair.a += DIMMER_TILE_BLOCK;
        pair.b += DIMMER_TILE_BLOCK;
        pair.to += pair.to_step;
        depth -= count;
    }
}

/* Slices of 16 channels one after the other, each with its nine taps. */
static inline void by_slices(pair_t pair, const slice_t *slice, const int32_t unit[2]) {
    const int8_t *const end = pair.a + pair.step;

    for (; pair.a != end; pair.a += DIMMER_TILE_BLOCK, pair.b += DIMMER_TILE_BLOCK) {
        pair.to =
            slice->shift == 0 ? collected(pair, WINDOW * WINDOW) : sliced(pair, WINDOW * WINDOW, slice, unit);
    }
}

/* What stands for a slice of 1; where the multiplier is 1 or more, small weights have room for its shift. */
static int32_t unit_of(const slice_t *slice, int32_t shift) {
    return (int32_t)((uint32_t)slice->unit << (shift > 0 ? shift : 0));
}

/* Where the weights of a channel lie in the order of a window's columns. */
static void column_offsets(const dimmer_conv2d_s8_t *r, uint16_t *to) {
    uint32_t kx;
    uint32_t ky;
    uint32_t c;

    for (kx = 0; kx < r->kernel_w; ++kx) {
        for (ky = 0; ky < r->kernel_h; ++ky) {
            for (c = 0; c < r->input_c; ++c) {
                *to++ = (uint16_t)((ky * r->kernel_w + kx) * r->input_c + c);
            }
        }
    }
}

/* l: one of r0 to r7, as stores of narrower elements need. */
static void gather(const int8_t *from, const uint16_t *offsets, int8_t *to, uint32_t count) {
    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n\t"
                     "vldrh.16 q0, [%[offsets]], #16\n\t"
                     "vldrb.u16 q1, [%[from], q0]\n\t"
                     "vstrb.16 q1, [%[to]], #8\n\t"
                     "letp lr, 1b"
                     : [offsets] "+&r"(offsets), [to] "+&l"(to)
                     : [from] "r"(from), [count] "r"(count)
                     : "q0", "q1", "lr", "cc", "memory");
}

/* The weights of `count` pairs of channels from `first` on; `apart` is 1, or 0 for one channel with itself.
 */
static void fill_weights(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t first,
                         uint32_t apart, uint32_t count, dimmer_panel_order_t order, int8_t *to,
                         int8_t *work) {
    const slice_t slice = slice_of(r->weight_bits);
    const uint32_t depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    const uint32_t run = dimmer_helium_run_bytes(r);
    const int8_t *shift = model->shifts + r->shifts + first;
    const uint16_t *const offsets = (const uint16_t *)(const void *)work;
    const int8_t *weights = model->weights + r->weights + (size_t)first * depth;
    int32_t unit[2];
    pair_t pair;

    if (order == DIMMER_PANEL_STRIPS) {
        column_offsets(r, (uint16_t *)(void *)work);
        work += run;
    }
    pair.step = r->input_c;
    pair.to_step = (int32_t)(2u * DIMMER_TILE_BLOCK);
    pair.to = to + DIMMER_PANEL_ENDS / 2u;
    if (order != DIMMER_PANEL_COLUMNS && run <= DIMMER_SHORT_RUN) {
        pair.to += run - 2u * DIMMER_TILE_BLOCK;
        pair.to_step = -pair.to_step;
    }
    if (slice.shift == 0 && count > 1u && 2u * depth == run && order != DIMMER_PANEL_STRIPS &&
        (order != DIMMER_PANEL_COLUMNS || r->input_c == DIMMER_TILE_BLOCK)) {
        if (pair.to_step > 0) {
            pairs_forward(weights, depth / DIMMER_TILE_BLOCK, pair.to, 0u, count, DIMMER_PANEL_ENDS);
        } else {
            pairs_backward(weights, depth / DIMMER_TILE_BLOCK, pair.to, 0u, count,
                           DIMMER_PANEL_ENDS + 2u * run);
        }
        return;
    }
    for (; count != 0u; --count, shift += 2) {
        pair.a = weights;
        weights += apart * depth;
        pair.b = weights;
        weights += depth;
        unit[0] = unit_of(&slice, shift[0]);
        unit[1] = unit_of(&slice, shift[apart]);
        if (order == DIMMER_PANEL_COLUMNS) {
            by_slices(pair, &slice, unit);
        } else {
            if (order == DIMMER_PANEL_STRIPS) {
                gather(pair.a, offsets, work, depth);
                gather(pair.b, offsets, work + run / 2u, depth);
                pair.a = work;
                pair.b = work + run / 2u;
            }
            in_one_run(pair, depth, &slice, unit);
        }
        pair.to += run + DIMMER_PANEL_ENDS;
    }
}

/* Biases, multipliers and shifts of the same pairs, `pitch` bytes from one to the next. */
static void fill_numbers(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t first,
                         uint32_t apart, uint32_t count, int8_t *bias, uint32_t pitch) {
    const int32_t *biases = model->params + r->bias + first;
    const int32_t *multipliers = model->params + r->multipliers + first;
    const int8_t *shifts = model->shifts + r->shifts + first;
    int8_t *ends = bias + pitch - DIMMER_PANEL_ENDS / 2u;
    const uint32x4_t lanes = vmulq_n_u32(vidupq_n_u32(0u, 1), apart);
    const uint32x4_t second = vmulq_n_u32(vshrq_n_u32(vidupq_n_u32(0u, 1), 1), pitch);
    const uint32x4_t odd = vandq_u32(vidupq_n_u32(0u, 1), vdupq_n_u32(1u));
    const uint32x4_t by_4 = vaddq_u32(second, vshlq_n_u32(odd, 2));
    const uint32x4_t by_8 = vaddq_u32(by_4, vshlq_n_u32(odd, 2));
    const uint32x4_t by_16 = vaddq_u32(by_8, vshlq_n_u32(odd, 3));
    /* The next pair is two channels on; then comes the zero point. */
    const int32x4_t places =
        vpselq_s32(vdupq_n_s32(r->output_zero_point), vdupq_n_s32(2), vcmpneq_n_u32(odd, 0u));
    uint32_t left = 2u * count;

    for (; left != 0u; left -= left < 4u ? left : 4u) {
        const mve_pred16_t those = vctp32q(left);
        const int32x4_t shift = vldrbq_gather_offset_z_s32(shifts, lanes, those);
        const int32x4_t down = vminq_s32(shift, vdupq_n_s32(0));
        const int32x4_t up = vmaxq_s32(shift, vdupq_n_s32(0));
        const int32x4_t b = vshlq_s32(vldrwq_gather_shifted_offset_z_s32(biases, lanes, those), up);
        const int32x4_t m = vldrwq_gather_shifted_offset_z_s32(multipliers, lanes, those);
        const uint32x4_t rounds = vshrq_n_u32(vreinterpretq_u32_s32(down), 31);

        vstrwq_scatter_offset_p_s32((int32_t *)(void *)bias, by_16, b, those);
        vstrwq_scatter_offset_p_s32((int32_t *)(void *)(bias + 4), by_16, b, those);
        vstrwq_scatter_offset_p_s32((int32_t *)(void *)(bias + 8), by_16, b, those);
        vstrwq_scatter_offset_p_s32((int32_t *)(void *)(bias + 12), by_16, b, those);
        vstrwq_scatter_offset_p_s32((int32_t *)(void *)ends, by_8, m, those);
        vstrwq_scatter_offset_p_s32((int32_t *)(void *)(ends + 4), by_8, down, those);
        vstrwq_scatter_offset_p_s32((int32_t *)(void *)(ends + 16), by_4, places, those);
        vstrwq_scatter_offset_p_u32((uint32_t *)(void *)(ends + 24), by_4, rounds, those);
        biases += 4;
        multipliers += 4;
        shifts += 4;
        bias += 2u * pitch;
        ends += 2u * pitch;
    }
}

/* How far on the results of the next pair are, of the pair that ends here. */
static int32_t *next_of(int8_t *end) {
    return (int32_t *)(void *)(end - DIMMER_PANEL_ENDS / 2u) + 4;
}

int8_t *dimmer_helium_panel(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t first,
                            uint32_t end, dimmer_panel_order_t order, int8_t *to, int8_t *work) {
    const uint32_t pitch = dimmer_helium_run_bytes(r) + DIMMER_PANEL_ENDS;
    const uint32_t channels = end - first;
    const uint32_t pairs = channels / 2u;
    const uint32_t apart = channels == 1u ? 0u : 1u;
    const uint32_t odd = channels % 2u;
    int8_t *const rest = to + pairs * pitch;
    int8_t *const behind = rest + odd * pitch;

    fill_weights(model, r, first, 1u, pairs, order, to, work);
    fill_numbers(model, r, first, 1u, pairs, to, pitch);
    if (odd != 0u) {
        /* With the one before it. */
        fill_weights(model, r, end - 1u - apart, apart, 1u, order, rest, work);
        fill_numbers(model, r, end - 1u - apart, apart, 1u, rest, pitch);
        if (pairs != 0u) {
            *next_of(rest) = 1;
        }
    }
    *next_of(behind) = apart != 0u ? 1 - (int32_t)channels : -1;
    return behind;
}

#endif
