/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of helium_test.c share: values, tables, an arena, a kernel run and compared. */
#ifndef HELIUM_FIXTURE_H
#define HELIUM_FIXTURE_H

#include <string.h>

#include "dimmer_kernels.h"

#define RANDOM_SEED 11u
#include "random_values.h"

#define ROUNDS      500u
#define ARENA_BYTES 131072u
#define MOST_VALUES 49152u
#define GUARD_BYTES 64u

enum { CONV = 1, CONV_ADD, ADD, DEPTHWISE, FULLY_CONNECTED, AVERAGE_POOL, MEAN, ENTRY_CONV, ENTRY_CONV_ADD };

static inline uint32_t one_of(uint32_t a, uint32_t b) {
    return below(2u) != 0u ? a : b;
}

/* Defined in helium_test.c: boards have no room for two of each. */
typedef struct {
    uint8_t bytes[ARENA_BYTES];
} arena_t;
extern int8_t weights[MOST_VALUES];
extern int32_t params[512];
extern int8_t shifts[128];
extern arena_t arena;
extern int8_t expected[MOST_VALUES];
extern const dimmer_model_t model;

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static void fill(int8_t *values, uint32_t count, uint32_t extremes) {
    for (; count != 0u; --count) {
        *values++ = next_value(extremes);
    }
}

/* Biases at 0, multipliers at 128, shifts at 0. */
static void tables(uint32_t channels) {
    uint32_t i;

    for (i = 0; i < channels; ++i) {
        params[i] = (int32_t)below(200000u) - 100000;
        params[128u + i] = (int32_t)(0x40000000u + below(0x1000000u) * 64u - below(2u));
        shifts[i] = (int8_t)-(int32_t)(below(8u) == 0u ? 1u + below(31u) : 6u + below(5u));
    }
}

/* Of ranges: all of int8, from the zero point up, or any. */
static void limits(int8_t zero_point, int8_t *low, int8_t *high) {
    const uint32_t kind = below(3u);

    *low = (int8_t)(kind == 0u ? -128 : kind == 1u ? zero_point : (int32_t)below(100u) - 100);
    *high = (int8_t)(below(2u) != 0u ? 127 : larger(below(127u), (uint32_t)(*low < 0 ? 0 : *low)));
}

/* Runs a kernel whose scratch ends at `end`, and compares. */
static int differs(dimmer_kernel_fn kernel, const void *record, uint32_t output, uint32_t bytes,
                   uint32_t end) {
    uint32_t i;

    memset(arena.bytes + output + bytes, (int)GUARD, GUARD_BYTES);
    memset(arena.bytes + end, (int)GUARD, GUARD_BYTES);
    kernel(&model, record, arena.bytes);
    if (memcmp(arena.bytes + output, expected, bytes) != 0) {
        return 1;
    }
    for (i = 0; i < GUARD_BYTES; ++i) {
        if (arena.bytes[output + bytes + i] != GUARD || arena.bytes[end + i] != GUARD) {
            return 1;
        }
    }
    return 0;
}

/* A convolution, alone, with an ADD, with a QUANTIZE before it; and an ADD: 0, or the kernel that differs. */
int convolution(uint32_t round);
int add_differs(void);

#endif
