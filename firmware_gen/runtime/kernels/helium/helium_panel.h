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

/* In which order a channel's weights go into a panel. */
typedef enum {
    DIMMER_PANEL_RUNS,    /* as they lie */
    DIMMER_PANEL_COLUMNS, /* slices of 16 channels one after the other, each with its nine taps */
    DIMMER_PANEL_STRIPS,  /* column by column of the window */
} dimmer_panel_order_t;

/* Writes the panel of the channels from first to end, slices of their weights where the layer has 4 or 2
 * bits; gives its end. An odd last channel forms a pair with the one before it. DIMMER_PANEL_STRIPS takes
 * twice the bytes of a pair's weights at `work`. */
int8_t *dimmer_helium_panel(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t first,
                            uint32_t end, dimmer_panel_order_t order, int8_t *to, int8_t *work);

#endif
