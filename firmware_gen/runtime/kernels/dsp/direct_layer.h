/* SPDX-License-Identifier: Apache-2.0 */
/* The direct convolution that CONV_2D and CONV_2D with ADD share. */
#ifndef DIMMER_DIRECT_LAYER_H
#define DIMMER_DIRECT_LAYER_H

#include "dimmer_kernels.h"

/* One layer, `group` channels in a pass; with `add`, whose operand `operand` it is, the sum is what is
 * stored. */
void dimmer_direct_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                         const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena);

/* The same, of weights that are slices. */
void dimmer_direct_sliced_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                                const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena);

#endif
