/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

#define ENTRIES 256u

/* The table's value at `magnitude` of `bits` below an entry, times 2^bits; `most` beyond its end. */
static int32_t between(const int32_t *table, uint32_t magnitude, int bits, int32_t most) {
    const uint32_t entry = magnitude >> bits;
    const int32_t part = (int32_t)(magnitude & ((1u << bits) - 1u));

    if (entry >= ENTRIES - 1u) {
        return most;
    }
    return table[entry] * (1 << bits) + part * (table[entry + 1u] - table[entry]);
}

/* From 0x2000000, which stands for 1. */
static int32_t logistic(const int32_t *table, int32_t x) {
    const int32_t y = between(table, x < 0 ? 0u - (uint32_t)x : (uint32_t)x, 9, 0x7FFF << 10);

    return (x >= 0 ? y + (1 << 9) : (1 << 25) - y + (1 << 9) - 1) >> 10;
}

/* 2 * logistic(2 * x) - 1. */
static int32_t hyperbolic(const int32_t *table, int32_t x) {
    const int32_t y = between(table, x < 0 ? 0u - (uint32_t)x : (uint32_t)x, 8, 0xFFFF << 8);

    return (x >= 0 ? y - (1 << 23) + (1 << 7) : (1 << 23) - y + (1 << 7) - 1) >> 8;
}

void dimmer_sigmoid_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_sigmoid_s16_t *r = (const dimmer_sigmoid_s16_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    const int32_t *table = model->params + r->table;
    const int32_t half = r->shift != 0u ? (int32_t)(1u << (r->shift - 1u)) : 0;
    uint32_t i;

    DIMMER_ASSERT(r->multiplier >= 0 && r->multiplier < 1 << 15 && r->shift <= 30u && r->hyperbolic <= 1u);
    for (i = 0; i < r->elements; ++i) {
        const int32_t x = (input[i] * r->multiplier + half) >> r->shift;

        output[i] = (int16_t)(r->hyperbolic != 0u ? hyperbolic(table, x) : logistic(table, x));
    }
}
