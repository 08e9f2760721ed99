/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels of 16-bit activations share. */
#ifndef DIMMER_WIDE_H
#define DIMMER_WIDE_H

#include "dimmer_fixed_point.h"
#include "../common/broadcast.h"
#include "../common/require.h"

static inline const int16_t *dimmer_wide_input(const uint8_t *arena, uint32_t offset) {
    return (const int16_t *)(const void *)(arena + offset);
}

static inline int16_t *dimmer_wide_output(uint8_t *arena, uint32_t offset) {
    return (int16_t *)(void *)(arena + offset);
}

static inline const int16_t *dimmer_wide_operand(const dimmer_model_t *model, const uint8_t *arena,
                                                 uint8_t blob, uint32_t offset) {
    return (const int16_t *)(const void *)dimmer_operand(model, arena, blob, offset);
}

static inline int16_t dimmer_clamp_s16(int32_t x, int32_t low, int32_t high) {
    return (int16_t)(x < low ? low : x > high ? high : x);
}

/* A sum's bias: two words of params, the low one first. */
static inline int64_t dimmer_wide_bias(const int32_t *words) {
    return (int64_t)words[1] * 4294967296 + (int64_t)(uint32_t)words[0];
}

/* round(x * multiplier * 2^(shift - 31)) by the multiplier's upper 16 bits, halves up; |x| < 2^47,
 * shift -31..7. TFLite's MultiplyByQuantizedMultiplier of 64 bits. */
static inline int32_t dimmer_requantize_wide(int64_t x, int32_t multiplier, int shift) {
    const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
    const int right = 15 - shift;

    DIMMER_ASSERT(shift >= -31 && shift <= 7);
    return (int32_t)((x * reduced + ((int64_t)1 << (right - 1))) >> right);
}

/* A table's value at x, -32768..32767, between two of its 513 entries. */
static inline int32_t dimmer_between(const int32_t *table, int32_t x) {
    const int32_t *entry = table + 256 + (x >> 7);

    return entry[0] + (((entry[1] - entry[0]) * (x & 127) + 64) >> 7);
}

/* What of a window of a convolution, `dilation` between its elements, lies within `size`: its first and the
 * one behind its last element. */
static inline void dimmer_wide_span(int32_t start, int32_t dilation, int32_t kernel, int32_t size,
                                    int32_t *first, int32_t *end) {
    *first = start < 0 ? (-start + dilation - 1) / dilation : 0;
    *end = start < size ? (size - start + dilation - 1) / dilation : 0;
    *end = *end < kernel ? *end : kernel;
}

#endif
