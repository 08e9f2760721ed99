/* SPDX-License-Identifier: Apache-2.0 */
#define DIMMER_KERNEL_NAME   dimmer_f43_layer
#define DIMMER_KERNEL_SLICED 0

#include "f43_body.h"
