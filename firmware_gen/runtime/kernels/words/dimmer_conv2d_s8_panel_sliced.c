/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_SLICED 1

#include "panel_body.h"

void dimmer_conv2d_s8_panel_sliced(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    panel_layer(model, (const dimmer_conv2d_s8_panel_t *)record, arena);
}
