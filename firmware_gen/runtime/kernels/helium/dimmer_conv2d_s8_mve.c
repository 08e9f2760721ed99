/* SPDX-License-Identifier: Apache-2.0 */
#include "helium.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

void dimmer_conv2d_s8_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_mve_t *d = (const dimmer_conv2d_s8_mve_t *)record;

    dimmer_helium_layer(model, &d->conv, d->group, d->columns, NULL, 0u, NULL, arena);
}

#endif
