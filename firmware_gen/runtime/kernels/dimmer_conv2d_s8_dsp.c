#include "direct.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

/* Where a layer's scratch lies, and the sizes that follow from its shape. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    int8_t *output;
    int32_t *panel;
    int32_t *panel_end;
    int32_t *pixels;
    int8_t *staging[2];
    int8_t *results[2];
    uint32_t row_bytes;
} work_t;

static void fill_panel(const dimmer_model_t *model, work_t *w, uint32_t first, uint32_t end) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t depth = w->row_bytes * r->kernel_h;
    /* Where a kernel row ends at a multiple of 4, the rows of a channel are one. */
    const uint32_t rows = (w->row_bytes & 3u) == 0u ? 1u : r->kernel_h;
    const uint32_t row = depth / rows;
    int32_t *to = w->panel;
    uint32_t c;

    for (c = first; c < end; c += 2u) {
        const uint32_t d = c + 1u < end ? c + 1u : c;
        const int8_t *a = model->weights + r->weights + (size_t)c * depth;
        const int8_t *b = model->weights + r->weights + (size_t)d * depth;
        uint32_t i;

        to = dimmer_direct_head(model, r, c, d, to);
        for (i = 0; i < rows; ++i, a += row, b += row) {
            to = dimmer_widen_pair(a, b, row, to);
        }
        to = dimmer_direct_tail(model, r, c, d, to);
    }
    w->panel_end = to;
}

static void clamp(const dimmer_conv2d_s8_t *r, int8_t *values, uint32_t count) {
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;
    int8_t *const end = values + count;

    for (; values != end; ++values) {
        *values = (int8_t)(*values < low ? low : *values > high ? high : *values);
    }
}

/* Channels [first, end) of the pixels at corners[0] and corners[1], the second one only if there is one. */
static void two_pixels(const work_t *w, const int32_t corners[2][2], int8_t *const outputs[2], uint32_t count,
                       int alone) {
    const dimmer_conv2d_s8_t *r = w->r;
    /* The kernel stores pairs of channels and of pixels. */
    const int direct = (count & 1u) == 0u && !alone;
    int32_t *to = w->pixels;
    int32_t dy = 0;
    uint32_t ky;

    for (ky = 0; ky < r->kernel_h; ++ky, dy += r->dilation_h) {
        const int8_t *a = dimmer_kernel_row(r, w->input, corners[0][0] + dy, corners[0][1], w->staging[0]);
        const int8_t *b = dimmer_kernel_row(r, w->input, corners[1][0] + dy, corners[1][1], w->staging[1]);

        to = dimmer_widen_pair(a, b, w->row_bytes, to);
    }
    dimmer_direct_2x2(w->panel, w->panel_end, w->pixels, to, direct ? outputs[0] : w->results[0],
                      direct ? outputs[1] : w->results[1]);
    if (!direct) {
        memcpy(outputs[0], w->results[0], count);
        if (!alone) {
            memcpy(outputs[1], w->results[1], count);
        }
    }
    if (r->activation_min > -128 || r->activation_max < 127) {
        clamp(r, outputs[0], count);
        if (!alone) {
            clamp(r, outputs[1], count);
        }
    }
}

void dimmer_conv2d_s8_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_conv2d_s8_dsp_t *d = (const dimmer_conv2d_s8_dsp_t *)record;
    const dimmer_conv2d_s8_t *r = &d->conv;
    const uint32_t row_bytes = (uint32_t)r->kernel_w * r->input_c;
    const uint32_t groups = (row_bytes + 3u) / 4u * r->kernel_h;
    const uint32_t pairs = (d->group + 1u) / 2u;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    work_t w;
    uint32_t first;

    w.r = r;
    w.row_bytes = row_bytes;
    w.input = (const int8_t *)(arena + r->input);
    w.panel = (int32_t *)(void *)(arena + r->scratch);
    w.pixels = w.panel + pairs * (4u * groups + DIMMER_DIRECT_HEAD + DIMMER_DIRECT_TAIL);
    w.results[0] = (int8_t *)(w.pixels + 4u * groups);
    w.results[1] = w.results[0] + 2u * pairs;
    w.staging[0] = w.results[1] + 2u * pairs;
    w.staging[1] = w.staging[0] + row_bytes;
    for (first = 0; first < r->output_c; first += d->group) {
        const uint32_t end = first + d->group < r->output_c ? first + d->group : r->output_c;
        int8_t *output = (int8_t *)(arena + r->output) + first;
        int32_t corners[2][2];
        uint32_t pixel;
        uint32_t x = 0;
        int32_t y = -r->pad_top;

        fill_panel(model, &w, first, end);
        for (pixel = 0; pixel < pixels; pixel += 2u) {
            int8_t *const outputs[2] = {output, output + r->output_c};
            uint32_t i;

            for (i = 0; i < 2u; ++i) {
                corners[i][0] = y;
                corners[i][1] = (int32_t)(x * r->stride_w) - r->pad_left;
                if (++x == r->output_w) {
                    x = 0;
                    y += r->stride_h;
                }
            }
            two_pixels(&w, (const int32_t (*)[2])corners, outputs, end - first, pixel + 1u == pixels);
            output += 2u * r->output_c;
        }
    }
}

#endif
