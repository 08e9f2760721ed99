/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of 4 and 2 bits: slices of the int8 codes, rounded half up. */
#ifndef DIMMER_SLICE_H
#define DIMMER_SLICE_H

#include <stddef.h>
#include <stdint.h>

/* What stands for a slice of 1: 2-bit weights are -7, 0 and 7, which makes biases seven times as fine. */
#define DIMMER_UNIT_4 1
#define DIMMER_UNIT_2 7

/* to[i] = unit * clamp((from[i] + 2^(shift-1)) >> shift) for `bits` of 4 (shift 4, limit 7) or 2 (shift 6,
 * limit 1). The sum is kept positive, as shifting a negative number is up to the compiler. */
static inline void dimmer_slice(const int8_t *from, int8_t *to, size_t count, uint32_t bits) {
    const uint32_t shift = bits == 4u ? 4u : 6u;
    const int32_t limit = bits == 4u ? 7 : 1;
    const int32_t unit = bits == 4u ? DIMMER_UNIT_4 : DIMMER_UNIT_2;
    const int32_t offset = 128 + (1 << (shift - 1u));
    const int32_t middle = 128 >> shift;

    for (; count != 0u; --count) {
        int32_t code = (int32_t)((uint32_t)(*from++ + offset) >> shift) - middle;

        code = code > limit ? limit : code;
        *to++ = (int8_t)(unit * (code < -limit ? -limit : code));
    }
}

#endif
