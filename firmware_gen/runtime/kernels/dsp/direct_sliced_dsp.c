/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_NAME   dimmer_direct_sliced_layer
#define DIMMER_KERNEL_SLICED 1

#include "direct_body.h"
