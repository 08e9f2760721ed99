/* SPDX-License-Identifier: Apache-2.0 */
#include "governor.h"
#include "dimmer_small_code.h"

/* Leading zeros of a number that is not 0. */
static uint32_t zeros(uint32_t number) {
#if defined(__ARM_FEATURE_CLZ)
    return (uint32_t)__builtin_clz(number);
#else
    uint32_t count = 0u;
    uint32_t step;

    for (step = 16u; step != 0u; step >>= 1) {
        if (number >> (32u - step) == 0u) {
            number <<= step;
            count += step;
        }
    }
    return count;
#endif
}

/* By digits of 16 bits (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D): the division
 * of 64 bits that compilers bring takes more flash than the whole governor. */
uint32_t dimmer_share_of(uint32_t a, uint32_t b, uint32_t c) {
    const uint64_t product = (uint64_t)a * b;
    uint32_t high = (uint32_t)(product >> 32);
    uint32_t low = (uint32_t)product;
    uint32_t share = 0u;
    uint32_t shift;

    if (high >= c) {
        return UINT32_MAX;
    }
    shift = zeros(c);
    c <<= shift;
    high = (uint32_t)((product << shift) >> 32);
    low <<= shift;
    for (shift = 0u; shift < 2u; ++shift) {
        const uint32_t next = high << 16 | low >> 16;
        uint32_t digit = high / (c >> 16);
        uint32_t rest;

        if (digit > 0xffffu) {
            digit = 0xffffu;
        }
        rest = high - digit * (c >> 16);
        while (rest <= 0xffffu && digit * (c & 0xffffu) > (rest << 16 | low >> 16)) {
            --digit;
            rest += c >> 16;
        }
        /* Less than c, whatever was carried out of `next`. */
        high = next - digit * c;
        low <<= 16;
        share = share << 16 | digit;
    }
    return share;
}

uint32_t dimmer_power_over(const dimmer_governor_t *g, uint32_t units, uint32_t seconds) {
    return dimmer_share_of(units, 256u << g->plan->unit_shift, seconds);
}
