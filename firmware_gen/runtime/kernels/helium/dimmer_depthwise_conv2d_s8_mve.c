/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"

#include "helium.h"
#include "helium_panel.h"
#include "helium_window.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>
#include <string.h>

#define SIDE  4u      /* rows and columns of a vector of inputs */
#define BLOCK 16u     /* channels that are laid out at a time */
#define BOTH  0xFFFFu /* results that are stored */
#define EVEN  0x3333u

/* One of the two directions of the image. */
typedef struct {
    uint32_t inputs;
    uint32_t outputs;
    uint32_t stride;
    uint32_t dilation;
    int32_t pad;
    uint32_t taps;
    uint32_t input_step; /* bytes */
    uint32_t output_step;
    uint32_t weight_step;
} direction_t;

typedef struct {
    const dimmer_depthwise_conv2d_s8_t *r;
    direction_t along;  /* windows of a turn are neighbours in this direction: columns */
    direction_t across; /* rows */
    uint32_t paired;    /* whether a turn does two rows */
    uint32_t column;    /* bytes of a column of the pass */
    int8_t *padding;
    int32_t *rescale;
    int8_t *weights;
    int8_t *columns;
    uint32_t width; /* columns */
} work_t;

static direction_t direction_of(const dimmer_depthwise_conv2d_s8_t *r, int down) {
    const uint32_t channels = r->input_c;
    direction_t d;

    d.inputs = down ? r->input_h : r->input_w;
    d.outputs = down ? r->output_h : r->output_w;
    d.stride = down ? r->stride_h : r->stride_w;
    d.dilation = down ? r->dilation_h : r->dilation_w;
    d.pad = down ? r->pad_top : r->pad_left;
    d.taps = down ? r->kernel_h : r->kernel_w;
    d.input_step = down ? r->input_w * channels : channels;
    d.output_step = down ? r->output_w * channels : channels;
    d.weight_step = down ? r->kernel_w * channels : channels;
    return d;
}

/* Spreads one tap of `count` channels over the channels' vectors, `pitch` bytes apart. */
static void spread(const int8_t *from, int8_t *to, uint32_t pitch, uint32_t count) {
    const uint16x8_t places = vmulq_n_u16(vidupq_n_u16(0u, 1), (uint16_t)pitch);

    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.u16 q0, [%[from]], #8\n\t"
                     "vstrb.16 q0, [%[to], %q[places]]\n\t"
                     "add %[to], %[to], %[step]\n\t"
                     "letp lr, 1b"
                     : [from] "+&l"(from), [to] "+&r"(to)
                     : [count] "r"(count), [step] "r"(8u * pitch), [places] "w"(places)
                     : "q0", "lr", "cc", "memory");
}

/* The same to two places, `again` bytes apart. */
static void spread_twice(const int8_t *from, int8_t *to, uint32_t pitch, uint32_t again, uint32_t count) {
    const uint16x8_t places = vmulq_n_u16(vidupq_n_u16(0u, 1), (uint16_t)pitch);
    const uint16x8_t others = vaddq_n_u16(places, (uint16_t)again);

    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.u16 q0, [%[from]], #8\n\t"
                     "vstrb.16 q0, [%[to], %q[places]]\n\t"
                     "vstrb.16 q0, [%[to], %q[others]]\n\t"
                     "add %[to], %[to], %[step]\n\t"
                     "letp lr, 1b"
                     : [from] "+&l"(from), [to] "+&r"(to)
                     : [count] "r"(count), [step] "r"(8u * pitch), [places] "w"(places), [others] "w"(others)
                     : "q0", "lr", "cc", "memory");
}

static void fill_weights(const dimmer_model_t *model, const work_t *w, uint32_t first, uint32_t count) {
    const uint32_t pitch = w->paired ? DIMMER_PAIR_WEIGHTS : DIMMER_SINGLE_WEIGHTS;
    const int8_t *const weights = model->weights + w->r->weights + first;
    uint32_t i;
    uint32_t j;

    dimmer_helium_fill(w->weights, 0, ((count + 1u) & ~1u) * pitch);
    for (i = 0; i < w->along.taps; ++i) {
        for (j = 0; j < w->across.taps; ++j) {
            const int8_t *const from = weights + i * w->along.weight_step + j * w->across.weight_step;
            int8_t *const to = w->weights + SIDE * (i + w->paired) + j;

            if (w->paired) {
                spread_twice(from, to, pitch, DIMMER_PAIR_WEIGHTS / 2u + 1u, count);
            } else {
                spread(from, to, pitch, count);
            }
        }
    }
}

/* Of each channel four times the bias, multiplier, shift. */
static void fill_rescale(const dimmer_model_t *model, const work_t *w, uint32_t first, uint32_t count) {
    const int32_t *biases = model->params + w->r->bias + first;
    const int32_t *multipliers = model->params + w->r->multipliers + first;
    const int8_t *shifts = model->shifts + w->r->shifts + first;
    const uint32x4_t places = vmulq_n_u32(vidupq_n_u32(0u, 1), 4u * DIMMER_WINDOW_RESCALE);
    int32_t *to = w->rescale;

    __asm__ volatile(
        "mov r0, #4\n\t"
        "vdup.32 q3, r0\n\t"
        "dlstp.32 lr, %[count]\n"
        "1:\n\t"
        "vldrw.32 q0, [%[biases]], #16\n\t"
        "vmov q1, %q[places]\n\t"
        "vstrw.32 q0, [%[to], q1]\n\t"
        "vadd.i32 q1, q1, q3\n\t"
        "vstrw.32 q0, [%[to], q1]\n\t"
        "vadd.i32 q1, q1, q3\n\t"
        "vstrw.32 q0, [%[to], q1]\n\t"
        "vadd.i32 q1, q1, q3\n\t"
        "vstrw.32 q0, [%[to], q1]\n\t"
        "vldrw.32 q0, [%[multipliers]], #16\n\t"
        "vadd.i32 q1, q1, q3\n\t"
        "vstrw.32 q0, [%[to], q1]\n\t"
        "vldrb.s32 q0, [%[shifts]], #4\n\t"
        "vadd.i32 q1, q1, q3\n\t"
        "vstrw.32 q0, [%[to], q1]\n\t"
        "adds %[to], %[to], %[step]\n\t"
        "letp lr, 1b"
        : [biases] "+&r"(biases), [multipliers] "+&r"(multipliers), [shifts] "+&l"(shifts), [to] "+&r"(to)
        : [count] "r"(count), [places] "w"(places), [step] "i"(16u * DIMMER_WINDOW_RESCALE)
        : "r0", "q0", "q1", "q3", "lr", "cc", "memory");
}

/* The rows under the windows of row `row` of the outputs, or of two rows, column by column, of the channels
 * from `first` on. */
static void lay_out(const work_t *w, const int8_t *input, uint32_t row, uint32_t first, uint32_t count) {
    const uint32_t needed = w->across.taps + w->paired;
    uint32_t next[SIDE];
    dimmer_columns_t columns;
    uint32_t c;
    uint32_t j;

    columns.to = w->columns + (uint32_t)w->along.pad * w->column;
    columns.column = w->column;
    columns.inputs = w->along.inputs;
    for (j = 0; j < SIDE; ++j) {
        const int32_t at = (int32_t)(row * w->across.stride + j * w->across.dilation) - w->across.pad;
        const int inside = j < needed && (uint32_t)at < w->across.inputs;

        columns.rows[j] = inside ? input + (uint32_t)at * w->across.input_step + first : w->padding;
        columns.steps[j] = inside ? w->along.input_step : 0u;
        next[j] = inside ? BLOCK : 0u;
    }
    for (c = 0; c < count; c += BLOCK) {
        columns.channels = count - c < BLOCK ? count - c : BLOCK;
        dimmer_window_columns(&columns);
        columns.to += SIDE * BLOCK;
        for (j = 0; j < SIDE; ++j) {
            columns.rows[j] += next[j];
        }
    }
}

/* What all turns of a layer share. */
static dimmer_window_t window_of(const work_t *w) {
    const uint32_t next = w->paired ? w->across.output_step : 1u;
    dimmer_window_t window;
    uint32_t i;
    uint32_t j;

    memset(&window, 0, sizeof window);
    window.zero_point = w->r->output_zero_point;
    window.columns_step = SIDE * w->along.stride * w->column;
    window.output_step = SIDE * w->along.output_step;
    window.columns_step_last = (w->along.outputs + SIDE - 1u) % SIDE + 1u;
    window.output_step_last = window.columns_step_last * w->along.output_step;
    window.columns_step_last *= w->along.stride * w->column;
    for (i = 0; i < SIDE; ++i) {
        window.places[2u * i] = (uint16_t)(i * w->along.output_step);
        window.places[2u * i + 1u] = (uint16_t)(i * w->along.output_step + next);
        for (j = 0; j < SIDE; ++j) {
            const uint32_t place = w->paired ? 2u * i + j : i * w->along.stride + j * w->along.dilation;

            window.gather[i][j] = place * w->column;
        }
    }
    return window;
}

/* A row of turns, or two rows, of `channels` channels or pairs of them, from channel `first` of the pass on.
 * Two bits of `stored` for a result: an even one, an odd one, of each window. */
static void turns(const work_t *w, dimmer_window_t *window, int8_t *output, uint32_t first, uint32_t channels,
                  uint32_t stored) {
    const int relu = w->r->activation_min >= w->r->output_zero_point;
    const uint32_t outputs = w->along.outputs;

    window->weights = w->weights + first * (w->paired ? DIMMER_PAIR_WEIGHTS : DIMMER_SINGLE_WEIGHTS);
    window->columns = w->columns + first * SIDE;
    window->rescale = w->rescale + first * DIMMER_WINDOW_RESCALE;
    window->output = output + first;
    window->channels = channels;
    window->stored = outputs < SIDE ? stored & ((1u << (SIDE * outputs)) - 1u) : stored;
    window->turns = (outputs + SIDE - 1u) / SIDE;
    if (w->paired) {
        (relu ? dimmer_window_pairs_relu : dimmer_window_pairs)(window);
    } else {
        (relu ? dimmer_window_singles_relu : dimmer_window_singles)(window);
    }
}

void dimmer_depthwise_conv2d_s8_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_depthwise_conv2d_s8_mve_t *d = (const dimmer_depthwise_conv2d_s8_mve_t *)record;
    const dimmer_depthwise_conv2d_s8_t *r = &d->conv;
    const int8_t *const input = (const int8_t *)(arena + r->input);
    int8_t *const output = (int8_t *)(arena + r->output);
    const uint32_t group = (d->group + BLOCK - 1u) & ~(BLOCK - 1u);
    uint32_t first;
    uint32_t used;
    dimmer_window_t window;
    work_t w;

    dimmer_require_depthwise(model, r, -31, -1);
    DIMMER_ASSERT(r->batches == 1u && r->depth_multiplier == 1u && r->kernel_h <= SIDE &&
                  r->kernel_w <= SIDE);
    DIMMER_ASSERT(d->group >= 1u && (d->group % BLOCK == 0u || d->group == r->input_c));
    w.r = r;
    w.along = direction_of(r, d->down != 0u);
    w.across = direction_of(r, d->down == 0u);
    w.paired = r->kernel_h <= 3u && r->kernel_w <= 3u && r->stride_h == 1u && r->stride_w == 1u &&
                       r->dilation_h == 1u && r->dilation_w == 1u
                   ? 1u
                   : 0u;
    w.column = SIDE * group;
    used = ((w.along.outputs < SIDE ? SIDE : w.along.outputs) - 1u) * w.along.stride;
    used += w.paired ? SIDE - 1u : (SIDE - 1u) * w.along.dilation + 1u;
    w.width = used > (uint32_t)w.along.pad + w.along.inputs ? used : (uint32_t)w.along.pad + w.along.inputs;
    w.padding = (int8_t *)(arena + d->scratch);
    w.rescale = (int32_t *)(void *)(w.padding + BLOCK);
    w.weights = (int8_t *)(w.rescale + DIMMER_WINDOW_RESCALE * group);
    w.columns = w.weights + group * (w.paired ? DIMMER_PAIR_WEIGHTS : DIMMER_SINGLE_WEIGHTS);
    dimmer_helium_fill(w.padding, r->input_zero_point, BLOCK);
    window = window_of(&w);
    for (first = 0; first < r->input_c; first += group) {
        const uint32_t count = r->input_c - first < group ? r->input_c - first : group;
        uint32_t row;

        fill_weights(model, &w, first, count);
        fill_rescale(model, &w, first, count);
        dimmer_helium_fill(w.columns, r->input_zero_point, w.width * w.column);
        for (row = 0; row < w.across.outputs; row += 1u + w.paired) {
            int8_t *const to = output + row * w.across.output_step + first;

            lay_out(&w, input, row, first, count);
            if (w.paired) {
                turns(&w, &window, to, 0u, count, row + 1u < w.across.outputs ? BOTH : EVEN);
                continue;
            }
            if (count > 1u) {
                turns(&w, &window, to, 0u, count / 2u, BOTH);
            }
            if (count % 2u != 0u) {
                turns(&w, &window, to, count - 1u, 1u, EVEN);
            }
        }
    }
    if (r->activation_min > -128 || r->activation_max < 127) {
        dimmer_helium_clamp(output, (uint32_t)r->output_h * r->output_w * r->input_c, r->activation_min,
                            r->activation_max);
    }
}

#endif
