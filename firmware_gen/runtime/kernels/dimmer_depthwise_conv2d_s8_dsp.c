#include "direct.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

#define GROUP 4u /* channels in a word */
#define TURN  3u /* taps in a turn of the inner loop: more are filled up with weights of 0 */

/* One tap of four channels: its input by its pointer, its weights widened to channels 0 and 2, 1 and 3. */
#define TAP                                                                                                  \
    "ldr r7, [r1], #4\n\t"                                                                                   \
    "ldrd r8, r9, [r0], #8\n\t"                                                                              \
    "ldr r7, [r7, r2]\n\t"                                                                                   \
    "sxtb16 r10, r7\n\t"                                                                                     \
    "sxtb16 r11, r7, ror #8\n\t"                                                                             \
    "smlabb r3, r10, r8, r3\n\t"                                                                             \
    "smlatt r5, r10, r8, r5\n\t"                                                                             \
    "smlabb r4, r11, r9, r4\n\t"                                                                             \
    "smlatt r6, r11, r9, r6\n\t"

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
 * 4 the taps, 8 their end, 12 the output. */
static DIMMER_ASSEMBLY void pixel(const int32_t *panel DIMMER_REGISTER,
                                  const int32_t *panel_end DIMMER_REGISTER,
                                  const int8_t *const *taps DIMMER_REGISTER,
                                  const int8_t *const *taps_end DIMMER_REGISTER,
                                  int8_t *output DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #12\n\t"
                     "strd r1, r2, [sp]\n\t"
                     "str r3, [sp, #8]\n\t"
                     "movs r2, #0\n"
                     "1:\n\t"
                     "ldmia.w r0!, {r3-r6}\n\t"
                     "ldrd r1, r12, [sp, #4]\n"
                     "2:\n\t" TAP TAP TAP "cmp r1, r12\n\t"
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

static int32_t *fill_panel(const dimmer_model_t *model, const dimmer_depthwise_conv2d_s8_t *r, uint32_t taps,
                           uint32_t padded, int32_t *to) {
    uint32_t channel;

    for (channel = 0; channel < r->input_c; channel += GROUP) {
        const int8_t *weights = model->weights + r->weights + channel;
        uint32_t i;

        memcpy(to, model->params + r->bias + channel, GROUP * sizeof *to);
        to += GROUP;
        for (i = 0; i < taps; ++i, weights += r->input_c) {
            *to++ = pair(weights[0], weights[2]);
            *to++ = pair(weights[1], weights[3]);
        }
        for (; i < padded; ++i) {
            *to++ = 0;
            *to++ = 0;
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
    const dimmer_depthwise_conv2d_s8_dsp_t *d = (const dimmer_depthwise_conv2d_s8_dsp_t *)record;
    const dimmer_depthwise_conv2d_s8_t *r = &d->conv;
    const uint32_t taps = (uint32_t)r->kernel_h * r->kernel_w;
    const uint32_t padded = (taps + TURN - 1u) / TURN * TURN;
    const uint32_t channels = r->input_c;
    const int8_t **const pointers = (const int8_t **)(void *)(arena + d->scratch);
    int32_t *const panel = (int32_t *)(void *)(arena + d->scratch) + padded;
    int32_t *const panel_end = fill_panel(model, r, taps, padded, panel);
    int8_t *const padding = (int8_t *)panel_end;
    const int8_t *const input = (const int8_t *)(arena + r->input);
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t y;
    uint32_t x;

    memset(padding, r->input_zero_point, channels);
    for (x = taps; x < padded; ++x) {
        pointers[x] = padding;
    }
    for (y = 0; y < r->output_h; ++y) {
        for (x = 0; x < r->output_w; ++x) {
            int8_t *const end = output + channels;

            find_taps(r, input, padding, (int32_t)(y * r->stride_h) - r->pad_top,
                      (int32_t)(x * r->stride_w) - r->pad_left, pointers);
            pixel(panel, panel_end, pointers, pointers + padded, output);
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
