/* SPDX-License-Identifier: Apache-2.0 */
/* How elementwise kernels walk two operands over a 4-D output. */
#ifndef DIMMER_BROADCAST_H
#define DIMMER_BROADCAST_H

#include "dimmer_kernels.h"

/* The steps, in elements, between neighbours along each dimension of an operand that has the output's
 * dimensions except that those in `broadcast` are 1. */
static inline void dimmer_broadcast_strides(const uint32_t dims[4], uint8_t broadcast, uint32_t strides[4]) {
    uint32_t step = 1;
    int i;

    for (i = 3; i >= 0; --i) {
        const int repeated = (broadcast >> i) & 1;

        strides[i] = repeated ? 0u : step;
        step *= repeated ? 1u : dims[i];
    }
}

static inline const int8_t *dimmer_operand(const dimmer_model_t *model, const uint8_t *arena, uint8_t blob,
                                           uint32_t offset) {
    return blob == DIMMER_IN_WEIGHTS ? model->weights + offset : (const int8_t *)(arena + offset);
}

#endif
