/* SPDX-License-Identifier: Apache-2.0 */
#include "direct_layer.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

void dimmer_conv2d_s8_sliced_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_dsp_t *d = (const dimmer_conv2d_s8_dsp_t *)record;

    dimmer_direct_sliced_layer(model, &d->conv, d->group, NULL, 0u, arena);
}

#endif
