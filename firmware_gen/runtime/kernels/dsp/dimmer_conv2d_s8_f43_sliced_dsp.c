/* SPDX-License-Identifier: Apache-2.0 */
#include "f43.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

void dimmer_conv2d_s8_f43_sliced_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_f43_dsp_t *d = (const dimmer_conv2d_s8_f43_dsp_t *)record;

    dimmer_f43_sliced_layer(model, &d->conv, d->group, d->strip, NULL, 0u, arena);
}

#endif
