/* SPDX-License-Identifier: Apache-2.0 */
/* What class an output says. */
#ifndef DIMMER_PREDICTED_H
#define DIMMER_PREDICTED_H

#include "dimmer_model.h"

/* The largest element of an int8 or uint8 output, the first of equals; -1 for another type, for several
 * outputs, where the output is values or what an anomaly is told by, and without a model. */
static inline int32_t predicted_class(const dimmer_t *network) {
#if defined(DIMMER_MODEL_OUTPUT_COUNT) || defined(DIMMER_MODEL_VALUE_MEANS) ||                               \
    defined(DIMMER_MODEL_ANOMALY_LIMITS)
    (void)network;
    return -1;
#else
    const int8_t *output = dimmer_output(network);
    const uint8_t flip = dimmer_model.dims.output.type == DIMMER_UINT8 ? 0x80u : 0u;
    int32_t best = 0;
    int32_t i;

    if (output == NULL || dimmer_model.dims.output.type > DIMMER_UINT8) {
        return -1;
    }
    for (i = 1; i < (int32_t)dimmer_model.dims.output.size; ++i) {
        if ((int8_t)((uint8_t)output[i] ^ flip) > (int8_t)((uint8_t)output[best] ^ flip)) {
            best = i;
        }
    }
    return best;
#endif
}

#endif
