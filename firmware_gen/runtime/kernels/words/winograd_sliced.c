/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_NAME   dimmer_winograd_sliced_layer
#define DIMMER_KERNEL_SLICED 1

#include "winograd_body.h"
