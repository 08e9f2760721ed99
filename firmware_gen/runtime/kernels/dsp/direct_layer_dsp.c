/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_NAME   dimmer_direct_layer
#define DIMMER_KERNEL_SLICED 0

#include "direct_body.h"
