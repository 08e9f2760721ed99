/* SPDX-License-Identifier: Apache-2.0 */
/* Radix 4, decimation in time; one stage of radix 2 before, where the number of stages is odd. */
#include <stddef.h>

#include "fixed.h"
#include "fourier.h"

/* Of one, two and three turns. */
typedef struct {
    int32_t once;
    int32_t twice;
    int32_t thrice;
} turns_t;

/* Half of a value times the conjugate wave; without one, times 1, exactly. */
static inline int32_t real_of(const int32_t *from, const turns_t *turns, int32_t w) {
    return turns == NULL ? from[0] >> 1 : mul_low(from[0], w) + mul_high(from[1], w);
}

static inline int32_t imaginary_of(const int32_t *from, const turns_t *turns, int32_t w) {
    return turns == NULL ? from[1] >> 1 : mul_low(from[1], w) - mul_high(from[0], w);
}

/* Four values that are 1/4 of a block apart. Bit-reversed: the second is the one at twice the frequency. In
 * this order few values are in use at a time: the registers of a Cortex-M hold nearly all. */
static inline void butterfly(int32_t *first, uint32_t apart, const turns_t *turns) {
    int32_t *second = first + apart;
    int32_t *third = second + apart;
    int32_t *fourth = third + apart;
    const int32_t once = turns == NULL ? 0 : turns->once;
    const int32_t twice = turns == NULL ? 0 : turns->twice;
    const int32_t thrice = turns == NULL ? 0 : turns->thrice;
    const int32_t c0 = real_of(third, turns, once);
    const int32_t c1 = imaginary_of(third, turns, once);
    const int32_t d0 = real_of(fourth, turns, thrice);
    const int32_t d1 = imaginary_of(fourth, turns, thrice);
    const int32_t odd0 = c0 + d0;
    const int32_t odd1 = c1 + d1;
    const int32_t turn0 = c0 - d0;
    const int32_t turn1 = c1 - d1;
    const int32_t b0 = real_of(second, turns, twice);
    const int32_t b1 = imaginary_of(second, turns, twice);
    const int32_t sum0 = (first[0] >> 1) + b0;
    const int32_t difference0 = (first[0] >> 1) - b0;
    const int32_t sum1 = (first[1] >> 1) + b1;
    const int32_t difference1 = (first[1] >> 1) - b1;

    first[0] = sum0 + odd0;
    third[0] = sum0 - odd0;
    first[1] = sum1 + odd1;
    third[1] = sum1 - odd1;
    second[0] = difference0 + turn1;
    fourth[0] = difference0 - turn1;
    second[1] = difference1 - turn0;
    fourth[1] = difference1 + turn0;
}

static void pairs(int32_t *values, const int32_t *end) {
    for (; values < end; values += 4) {
        const int32_t a0 = values[0];
        const int32_t a1 = values[1];

        values[0] = a0 + values[2];
        values[1] = a1 + values[3];
        values[2] = a0 - values[2];
        values[3] = a1 - values[3];
    }
}

void dimmer_fourier(int32_t *values, uint32_t log2, const int32_t *turns) {
    const int32_t *end = values + ((uint32_t)2 << log2);
    uint32_t stage = log2 & 1u;
    int32_t *at;

    if (stage != 0u) {
        pairs(values, end);
    } else {
        /* Without the general one's steps that are not known when it is compiled. */
        for (at = values; at < end; at += 8) {
            butterfly(at, 2u, NULL);
        }
        stage = 2;
    }
    for (; stage < log2; stage += 2u) {
        /* Words from one of four values to the next. */
        const uint32_t apart = (uint32_t)2 << stage;
        const uint32_t step = (uint32_t)1 << (log2 - stage - 2u);
        uint32_t k;

        for (at = values; at < end; at += 4u * apart) {
            butterfly(at, apart, NULL);
        }
        for (k = 1; k < apart / 2u; ++k) {
            const turns_t by = {turns[k * step], turns[2u * k * step], turns[3u * k * step]};

            for (at = values + 2u * k; at < end; at += 4u * apart) {
                butterfly(at, apart, &by);
            }
        }
    }
}
