/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_NAME   dimmer_conv2d_s8_panel
#define DIMMER_KERNEL_SLICED 0

#include "panel_body.h"
