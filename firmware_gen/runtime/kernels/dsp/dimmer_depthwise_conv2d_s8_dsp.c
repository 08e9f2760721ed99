/* SPDX-License-Identifier: Apache-2.0 */
#include "direct.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

#define GROUP 4u /* channels in a word */
#define TURN  9u /* taps in a turn of the inner loop: more are filled up with weights of 0 */

/* Three taps of four channels. The first two share a word for each channel, one SMLAD; channels 0 and 2, 1
 * and 3 share words of the third. */
#define PAIR(rotation, low, high)                                                                            \
    "sxtb16 r10, r7" rotation "\n\t"                                                                         \
    "sxtb16 r11, r8" rotation "\n\t"                                                                         \
    "pkhbt lr, r10, r11, lsl #16\n\t"                                                                        \
    "pkhtb r11, r11, r10, asr #16\n\t"                                                                       \
    "ldrd r10, r12, [r0], #8\n\t"                                                                            \
    "smlad " low ", lr, r10, " low "\n\t"                                                                    \
    "smlad " high ", r11, r12, " high "\n\t"
#define THREE_TAPS                                                                                           \
    "ldmia.w r1!, {r7-r9}\n\t"                                                                               \
    "ldr r7, [r7, r2]\n\t"                                                                                   \
    "ldr r8, [r8, r2]\n\t"                                                                                   \
    "ldr r9, [r9, r2]\n\t" PAIR("", "r3", "r5") PAIR(", ror #8", "r4", "r6") "ldrd r7, r8, [r0], #8\n\t"     \
                                                                             "sxtb16 r10, r9\n\t"            \
                                                                             "sxtb16 r11, r9, ror #8\n\t"    \
                                                                             "smlabb r3, r10, r7, r3\n\t"    \
                                                                             "smlatt r5, r10, r7, r5\n\t"    \
                                                                             "smlabb r4, r11, r8, r4\n\t"    \
                                                                             "smlatt r6, r11, r8, r6\n\t"

/* As in direct_dsp.c; multiplier, rounding and shift follow the weights. */
#define RESCALE(sum)                                                                                         \
    "ldmia.w r0!, {r7-r9}\n\t"                                                                               \
    "add.w r8, r8, " sum ", asr #31\n\t"                                                                     \
    "add.w " sum ", " sum ", " sum "\n\t"                                                                    \
    "smmlar " sum ", " sum ", r7, r8\n\t"                                                                    \
    "asr.w " sum ", " sum ", r9\n\t"                                                                         \
    "ssat " sum ", #8, " sum "\n\t"                                                                          \
    "strb " sum ", [r12], #1\n\t"

/* All channels of one pixel, whose taps lie at taps[0] to taps_end[-1]. On the stack: 0 the end of the panel,
 * 4 the taps, 8 their end, 48 the output, 52 how far all taps have moved. */
static DIMMER_ASSEMBLY void pixel(const int32_t *panel DIMMER_REGISTER,
                                  const int32_t *panel_end DIMMER_REGISTER,
                                  const int8_t *const *taps DIMMER_REGISTER,
                                  const int8_t *const *taps_end DIMMER_REGISTER,
                                  int8_t *output DIMMER_REGISTER, uint32_t moved DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #12\n\t"
                     "strd r1, r2, [sp]\n\t"
                     "str r3, [sp, #8]\n\t"
                     "ldr r2, [sp, #52]\n"
                     "1:\n\t"
                     "ldmia.w r0!, {r3-r6}\n\t"
                     "ldr r1, [sp, #4]\n"
                     "2:\n\t" THREE_TAPS THREE_TAPS THREE_TAPS "ldr r12, [sp, #8]\n\t"
                     "cmp r1, r12\n\t"
                     "bne.w 2b\n\t"
                     "ldr r12, [sp, #48]\n\t" RESCALE("r3") RESCALE("r4") RESCALE("r5")
                         RESCALE("r6") "str r12, [sp, #48]\n\t"
                                       "ldr r1, [sp]\n\t"
                                       "adds r2, #4\n\t"
                                       "cmp r0, r1\n\t"
                                       "bne.w 1b\n\t"
                                       "add sp, sp, #12\n\t"
                                       "pop {r4-r11, pc}");
}

static int32_t pair(int32_t low, int32_t high) {
    return (int32_t)(((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16);
}

static int32_t *fill_panel(const dimmer_model_t *model, const dimmer_depthwise_conv2d_s8_t *r,
                           uint32_t padded, int32_t *to) {
    static const int8_t none[GROUP] = {0, 0, 0, 0};
    const uint32_t taps = (uint32_t)r->kernel_h * r->kernel_w;
    const uint32_t channels = r->input_c;
    uint32_t channel;

    for (channel = 0; channel < channels; channel += GROUP) {
        const int8_t *a = model->weights + r->weights + channel;
        uint32_t tap;
        uint32_t i;

        memcpy(to, model->params + r->bias + channel, GROUP * sizeof *to);
        to += GROUP;
        for (tap = 0; tap < padded; tap += 3u, a += 3u * channels) {
            const int8_t *const first = tap < taps ? a : none;
            const int8_t *const second = tap + 1u < taps ? a + channels : none;
            const int8_t *const third = tap + 2u < taps ? a + 2u * channels : none;

            *to++ = pair(first[0], second[0]);
            *to++ = pair(first[2], second[2]);
            *to++ = pair(first[1], second[1]);
            *to++ = pair(first[3], second[3]);
            *to++ = pair(third[0], third[2]);
            *to++ = pair(third[1], third[3]);
        }
        for (i = channel; i < channel + GROUP; ++i) {
            const int32_t shift = -model->shifts[r->shifts + i];

            *to++ = model->params[r->multipliers + i];
            *to++ = (int32_t)((uint32_t)r->output_zero_point << shift) + ((int32_t)1 << (shift - 1));
            *to++ = shift;
        }
    }
    return to;
}

/* Where the taps of a window at (top, left) lie; those outside the input at `padding`. */
static void find_taps(const dimmer_depthwise_conv2d_s8_t *r, const int8_t *input, const int8_t *padding,
                      int32_t top, int32_t left, const int8_t **taps) {
    const uint32_t channels = r->input_c;
    uint32_t ky;

    for (ky = 0; ky < r->kernel_h; ++ky, top += r->dilation_h) {
        const int8_t *const row = input + (ptrdiff_t)top * r->input_w * (ptrdiff_t)channels;
        int32_t x = left;
        uint32_t kx;

        for (kx = 0; kx < r->kernel_w; ++kx, x += r->dilation_w) {
            *taps++ = (uint32_t)top < r->input_h && (uint32_t)x < r->input_w ? row + x * (int32_t)channels
                                                                             : padding;
        }
    }
}

void dimmer_depthwise_conv2d_s8_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_depthwise_conv2d_s8_dsp_t *d = (const dimmer_depthwise_conv2d_s8_dsp_t *)record;
    const dimmer_depthwise_conv2d_s8_t *r = &d->conv;
    const uint32_t taps = (uint32_t)r->kernel_h * r->kernel_w;
    const uint32_t padded = (taps + TURN - 1u) / TURN * TURN;
    const uint32_t channels = r->input_c;
    const int8_t **const pointers = (const int8_t **)(void *)(arena + d->scratch);
    int32_t *const panel = (int32_t *)(void *)(arena + d->scratch) + padded;
    int32_t *const panel_end = fill_panel(model, r, padded, panel);
    int8_t *const padding = (int8_t *)panel_end;
    const int8_t *const input = (const int8_t *)(arena + r->input);
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;
    const int32_t reach = (r->kernel_w - 1) * r->dilation_w + 1;
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t tap;
    uint32_t y;
    uint32_t x;

    dimmer_require_depthwise(model, r, -22, -1);
    DIMMER_ASSERT(r->batches == 1u && r->depth_multiplier == 1u && r->input_c % GROUP == 0u);
    memset(padding, r->input_zero_point, channels);
    for (y = 0; y < r->output_h; ++y) {
        const int32_t top = (int32_t)(y * r->stride_h) - r->pad_top;
        const int whole_rows = top >= 0 && top + (r->kernel_h - 1) * r->dilation_h < r->input_h;
        int32_t left = -(int32_t)r->pad_left;
        uint32_t moved = 0;

        for (x = 0; x < r->output_w; ++x, left += r->stride_w) {
            int8_t *const end = output + channels;

            if (whole_rows && left >= r->stride_w && left + reach <= r->input_w) {
                moved += r->stride_w * channels; /* nothing of either window is padding */
            } else {
                find_taps(r, input, padding, top, left, pointers);
                for (tap = taps; tap < padded; ++tap) {
                    pointers[tap] = pointers[0]; /* any that is there, for weights of 0 */
                }
                moved = 0;
            }
            pixel(panel, panel_end, pointers, pointers + padded, output, moved);
            if (low <= -128 && high >= 127) {
                output = end;
            }
            for (; output != end; ++output) {
                *output = (int8_t)(*output < low ? low : *output > high ? high : *output);
            }
        }
    }
}

#endif
