/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_NAME   dimmer_f43_sliced_layer
#define DIMMER_KERNEL_SLICED 1

#include "f43_body.h"
