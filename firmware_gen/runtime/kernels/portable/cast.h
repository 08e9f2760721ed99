/* SPDX-License-Identifier: Apache-2.0 */
/* What CAST's kernels read. */
#ifndef DIMMER_KERNELS_CAST_H
#define DIMMER_KERNELS_CAST_H

#include "dimmer_kernels.h"

/* A number of `type`; of int64 the low word. */
static inline int32_t number_at(const uint8_t *from, uint32_t type, size_t i) {
    switch (type) {
    case DIMMER_INT8:
        return ((const int8_t *)from)[i];
    case DIMMER_INT16:
        return ((const int16_t *)(const void *)from)[i];
    case DIMMER_INT32:
        return ((const int32_t *)(const void *)from)[i];
    case DIMMER_INT64:
        return ((const int32_t *)(const void *)from)[2u * i];
    default:
        return from[i];
    }
}

#endif
