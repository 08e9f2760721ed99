/* SPDX-License-Identifier: Apache-2.0 */
#include "panel.h"
#include "../common/assembly.h"
#include "small_thumb.h"
#include "frame_thumb.h"

void dimmer_panel_smalls(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                         dimmer_panel_small_t *rescales) {
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    uint32_t channel;

    for (channel = 0; channel < r->output_c; ++channel) {
        rescales[channel].bias = model->params[r->bias + channel];
        rescales[channel].rescale =
            dimmer_small_of(multipliers[channel], shifts[channel], r->output_zero_point);
    }
}

void dimmer_panel_store_small(const int32_t *sums, const dimmer_panel_small_t *rescales, uint32_t group,
                              uint32_t count, const dimmer_conv2d_s8_t *r, int8_t *output) {
    const dimmer_panel_small_t *const end = rescales + group;
    /* Copies: a store through int8_t may change the record for all that the compiler knows. */
    const size_t channels = r->output_c;
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;

    if (count == DIMMER_PANEL_PIXELS && low == INT8_MIN && high == INT8_MAX) {
        dimmer_panel_store_small_four(sums, rescales, group, output, r->output_c);
        return;
    }
    for (; rescales != end; ++rescales, sums += DIMMER_PANEL_PIXELS, ++output) {
        uint32_t i;

        for (i = 0; i < count; ++i) {
            output[i * channels] =
                dimmer_clamp_s8(dimmer_small(sums[i] + rescales->bias, &rescales->rescale), low, high);
        }
    }
}

#if defined(__thumb__) && !defined(__thumb2__)

/* Assembly, because a compiler spills: 121 instructions for the four pixels of a channel. r12: channels, lr:
 * rescales. On the stack: 0 sums, 4 the output, 8 the end of rescales; 48 channels. */
DIMMER_ASSEMBLY void dimmer_panel_store_small_four(const int32_t *sums DIMMER_REGISTER,
                                                   const dimmer_panel_small_t *rescales DIMMER_REGISTER,
                                                   uint32_t group DIMMER_REGISTER,
                                                   int8_t *output DIMMER_REGISTER,
                                                   uint32_t channels DIMMER_REGISTER) {
    __asm__ volatile(".syntax unified\n\t" DIMMER_SAVE_ALL "movs r4, #24\n\t"
                     "muls r2, r4, r2\n\t"
                     "adds r2, r1, r2\n\t"
                     "mov lr, r1\n\t"
                     "sub sp, #12\n\t"
                     "str r0, [sp]\n\t"
                     "str r3, [sp, #4]\n\t"
                     "str r2, [sp, #8]\n\t"
                     "ldr r4, [sp, #48]\n\t"
                     "mov r12, r4\n"
                     "1:\n\t"
                     "ldr r0, [sp]\n\t"
                     "ldmia r0!, {r2, r5, r6, r7}\n\t"
                     "str r0, [sp]\n\t"
                     "mov r1, lr\n\t"
                     "ldmia r1!, {r0}\n\t"
                     "adds r2, r2, r0\n\t"
                     "adds r5, r5, r0\n\t"
                     "adds r6, r6, r0\n\t"
                     "adds r7, r7, r0\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n\t"
                     "ldmia r1!, {r4, r5, r6}\n\t"
                     "ldmia r1!, {r0, r3}\n\t"
                     "mov lr, r1\n\t"
                     "mov r1, r3\n\t"
                     "ldr r3, [sp, #4]\n\t"
                     "mov r8, r3\n\t"
                     "adds r3, #1\n\t"
                     "str r3, [sp, #4]\n\t" DIMMER_STORE_SMALL "mov r2, r9\n\t" DIMMER_STORE_SMALL
                     "mov r2, r10\n\t" DIMMER_STORE_SMALL "mov r2, r11\n\t" DIMMER_STORE_SMALL
                     "ldr r2, [sp, #8]\n\t"
                     "cmp lr, r2\n\t"
                     "beq 2f\n\t"
                     "b 1b\n"
                     "2:\n\t"
                     "add sp, #12\n\t" DIMMER_RESTORE_ALL);
}

#else

void dimmer_panel_store_small_four(const int32_t *sums, const dimmer_panel_small_t *rescales, uint32_t group,
                                   int8_t *output, uint32_t channels) {
    const dimmer_panel_small_t *const end = rescales + group;

    for (; rescales != end; ++rescales, sums += DIMMER_PANEL_PIXELS, ++output) {
        uint32_t i;

        for (i = 0; i < DIMMER_PANEL_PIXELS; ++i) {
            output[i * channels] = dimmer_clamp_s8(dimmer_small(sums[i] + rescales->bias, &rescales->rescale),
                                                   INT8_MIN, INT8_MAX);
        }
    }
}

#endif
