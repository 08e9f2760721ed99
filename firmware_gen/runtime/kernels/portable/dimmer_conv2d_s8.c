/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/dot.h"
#include "../common/slice.h"
#include "../common/require.h"

/* memcpy, of which most calls here are too short to be worth the call. */
static void copy(int8_t *to, const int8_t *from, size_t size) {
    for (; size >= 16u; size -= 16u, to += 16, from += 16) {
        memcpy(to, from, 16);
    }
    for (; size >= 4u; size -= 4u, to += 4, from += 4) {
        memcpy(to, from, 4);
    }
    while (size-- != 0u) {
        *to++ = *from++;
    }
}

/* Copies the input under the kernel at (y, x), its top left corner, to int8[kernel_h,kernel_w,input_c]. */
static void gather(const dimmer_conv2d_s8_t *r, const int8_t *input, int32_t y, int32_t x, int8_t *patch) {
    const size_t channels = r->input_c;
    const size_t row_bytes = r->kernel_w * channels;
    uint32_t ky;

    for (ky = 0; ky < r->kernel_h; ++ky, y += r->dilation_h, patch += row_bytes) {
        const int8_t *row;

        if (y < 0 || y >= r->input_h) {
            memset(patch, r->input_zero_point, row_bytes);
            continue;
        }
        row = input + (size_t)y * r->input_w * channels;
        if (r->dilation_w == 1u && x >= 0 && x + r->kernel_w <= r->input_w) {
            copy(patch, row + (size_t)x * channels, row_bytes);
        } else {
            int8_t *to = patch;
            int32_t column = x;
            uint32_t kx;

            for (kx = 0; kx < r->kernel_w; ++kx, column += r->dilation_w, to += channels) {
                if (column < 0 || column >= r->input_w) {
                    memset(to, r->input_zero_point, channels);
                } else {
                    copy(to, row + (size_t)column * channels, channels);
                }
            }
        }
    }
}

/* The output channels from first to end, and their weights. */
typedef struct {
    const int8_t *weights;
    uint32_t first;
    uint32_t end;
} group_t;

/* A group's channels of two output pixels from their patches. An odd pixel or channel is its own partner:
 * cheaper than a second loop in flash. */
static void two_pixels(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, const group_t *group,
                       const int8_t *patch0, const int8_t *patch1, int8_t *output0, int8_t *output1) {
    const uint32_t depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    const int32_t *bias = model->params + r->bias;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    const int8_t *weights = group->weights;
    /* Copies: a store through int8_t may change the record for all that the compiler knows. */
    const uint32_t channels = group->end;
    const int32_t zero_point = r->output_zero_point;
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;
    uint32_t channel;

    for (channel = group->first; channel < channels; channel += 2u) {
        const uint32_t last = channel + 1u < channels ? channel + 1u : channel;
        const int8_t *next = weights + (last - channel) * depth;
        int32_t sums[4];

        sums[0] = bias[channel];
        sums[1] = sums[0];
        sums[2] = bias[last];
        sums[3] = sums[2];
        dimmer_dot_2x2(weights, next, patch0, patch1, depth, sums);
        weights = next + depth;
#define DIMMER_STORE(output, c, sum)                                                                         \
    output[c] = dimmer_clamp_s8(dimmer_requantize(sum, multipliers[c], shifts[c]) + zero_point, low, high)
        DIMMER_STORE(output0, channel, sums[0]);
        DIMMER_STORE(output1, channel, sums[1]);
        DIMMER_STORE(output0, last, sums[2]);
        DIMMER_STORE(output1, last, sums[3]);
#undef DIMMER_STORE
    }
}

/* A group's channels of every pixel. */
static void all_pixels(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, const group_t *group,
                       int in_place, uint8_t *arena) {
    const size_t input_size = (size_t)r->input_h * r->input_w * r->input_c;
    const size_t patch_size = ((size_t)r->kernel_h * r->kernel_w * r->input_c + 3u) & ~(size_t)3;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t batch;

    for (batch = 0; batch < r->batches; ++batch, input += input_size) {
        const int8_t *patches[2] = {NULL, NULL};
        uint32_t waiting = 0;
        int32_t y;
        int32_t x;

        for (y = 0; y < r->output_h; ++y) {
            const int32_t from_y = y * r->stride_h - r->pad_top;

            for (x = 0; x < r->output_w; ++x) {
                const int32_t from_x = x * r->stride_w - r->pad_left;

                if (in_place) {
                    patches[waiting] = input + ((size_t)from_y * r->input_w + (size_t)from_x) * r->input_c;
                } else {
                    int8_t *patch = (int8_t *)(arena + r->scratch + waiting * patch_size);

                    gather(r, input, from_y, from_x, patch);
                    patches[waiting] = patch;
                }
                if (++waiting == 2u) {
                    two_pixels(model, r, group, patches[0], patches[1], output, output + r->output_c);
                    output += 2u * r->output_c;
                    waiting = 0;
                }
            }
        }
        if (waiting != 0u) {
            two_pixels(model, r, group, patches[0], patches[0], output, output);
            output += r->output_c;
        }
    }
}

void dimmer_conv2d_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_t *r = (const dimmer_conv2d_s8_t *)record;
    const size_t depth = (size_t)r->kernel_h * r->kernel_w * r->input_c;
    const int in_place = r->kernel_h == 1u && r->kernel_w == 1u && r->pad_top == 0u && r->pad_left == 0u &&
                         (r->output_h - 1) * r->stride_h < r->input_h &&
                         (r->output_w - 1) * r->stride_w < r->input_w;
    const int8_t *weights = model->weights + r->weights;
    group_t group = {weights, 0, r->output_c};

    dimmer_require_conv2d(model, r, -31, 30);
    DIMMER_ASSERT(r->weight_bits == 8u ||
                  (r->slice_channels >= 1u && r->slice_channels <= r->output_c &&
                   (r->slice_channels % 2u == 0u || r->slice_channels == r->output_c)));
    if (r->weight_bits == 8u) {
        all_pixels(model, r, &group, in_place, arena);
    } else {
        int8_t *const slices =
            (int8_t *)(arena + r->scratch + (in_place ? 0u : 2u * ((depth + 3u) & ~(size_t)3)));

        group.weights = slices;
        for (; group.first < r->output_c; group.first = group.end) {
            const uint32_t end = group.first + r->slice_channels;

            group.end = end < r->output_c ? end : r->output_c;
            dimmer_slice(weights + group.first * depth, slices, (group.end - group.first) * depth,
                         r->weight_bits);
            all_pixels(model, r, &group, in_place, arena);
        }
    }
}
