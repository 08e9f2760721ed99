/* SPDX-License-Identifier: Apache-2.0 */
#include "narrow.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

void dimmer_conv2d_add_s8_narrow_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_add_s8_narrow_dsp_t *d = (const dimmer_conv2d_add_s8_narrow_dsp_t *)record;
    const dimmer_narrow_settings_t settings =
        DIMMER_NARROW_SETTINGS(d, d->conv.weight_bits == 4u ? &dimmer_narrow_4 : &dimmer_narrow_2);

    dimmer_narrow_layer(model, &d->conv, &settings, &d->add, d->operand, arena);
}

#endif
