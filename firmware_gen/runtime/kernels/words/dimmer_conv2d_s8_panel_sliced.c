/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_NAME   dimmer_conv2d_s8_panel_sliced
#define DIMMER_KERNEL_SLICED 1

#include "panel_body.h"
