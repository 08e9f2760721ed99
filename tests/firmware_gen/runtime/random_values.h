/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that compare kernels with one another on a board share: values that repeat, from the seed
 * that stands in RANDOM_SEED before this file is included, and places in the arena.
 */
#ifndef RANDOM_VALUES_H
#define RANDOM_VALUES_H

#include <stdint.h>

#define GUARD 0x5Au /* fills what a kernel must not write to */

static uint32_t random_state = RANDOM_SEED;

static inline uint32_t below(uint32_t limit) {
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* Any code; `extremes` of 16 are the least or the largest one. */
static inline int8_t next_value(uint32_t extremes) {
    return below(16u) < extremes ? (int8_t)(below(2u) != 0u ? 127 : -128)
                                 : (int8_t)((int32_t)below(256u) - 128);
}

static inline uint32_t aligned(uint32_t size) {
    return (size + 15u) & ~15u;
}

#endif
