/* SPDX-License-Identifier: Apache-2.0 */
#include "packed.h"
#include "../common/require.h"

void dimmer_conv2d_s8_packed(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_packed_t *p = (const dimmer_conv2d_s8_packed_t *)record;
    const dimmer_packed_settings_t settings = {
        p->bounds, p->group, p->strip, p->terms, p->planes, p->input_bits, (dimmer_packed_way_t)p->way};

    dimmer_packed_layer(model, &p->conv, &settings, NULL, 0u, arena);
}
