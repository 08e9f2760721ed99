/* SPDX-License-Identifier: Apache-2.0 */
/* Panels of weights for the tiles of helium.h. */
#ifndef DIMMER_HELIUM_PANEL_H
#define DIMMER_HELIUM_PANEL_H

#include "helium.h"

/* Bytes of copies in vectors; nothing behind them is read or written. */
void dimmer_helium_copy(int8_t *to, const int8_t *from, uint32_t count);
void dimmer_helium_fill(int8_t *to, int32_t value, uint32_t count);

/* Bytes of a pair's weights: those of a channel, filled up with 0 to blocks. */
uint32_t dimmer_helium_run_bytes(const dimmer_conv2d_s8_t *r);

/* Writes the panel of the channels from first to end, slices of their weights where the layer has 4 or 2
 * bits, for columns or for runs; gives its end. An odd last channel forms a pair with the one before it. */
int8_t *dimmer_helium_panel(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t first,
                            uint32_t end, uint32_t columns, int8_t *to);

#endif
