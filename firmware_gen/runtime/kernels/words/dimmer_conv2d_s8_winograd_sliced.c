/* SPDX-License-Identifier: Apache-2.0 */
#include "winograd.h"
#include "../common/require.h"

void dimmer_conv2d_s8_winograd_sliced(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_winograd_t *r = (const dimmer_conv2d_s8_winograd_t *)record;

    dimmer_winograd_sliced_layer(model, &r->conv, r->group, r->strip, NULL, 0u, 0u, r->small, arena);
}
