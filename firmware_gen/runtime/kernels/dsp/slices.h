/* SPDX-License-Identifier: Apache-2.0 */
/* Slices of int8 codes as slice.h has them, four at a time: for Arm cores with the DSP extension. */
#ifndef DIMMER_SLICES_H
#define DIMMER_SLICES_H

#include <string.h>

#include "../common/slice.h"

/* Four codes, each plus half of a slice's step, at least what -7 or -1 needs; saturating above does the same
 * for 7 and 1. The slice is what is left in the upper bits. */
static inline uint32_t dimmer_rounded_codes(uint32_t codes, uint32_t half) {
    uint32_t low;
    uint32_t high;

    __asm__("qsub8 %0, %1, %2" : "=r"(low) : "r"(codes), "r"(half));
    __asm__("qadd8 %0, %1, %2" : "=r"(high) : "r"(low), "r"(half + half));
    return high;
}

/* Byte by byte, modulo 2^8. */
static inline uint32_t dimmer_less_bytes(uint32_t a, uint32_t b) {
    uint32_t difference;

    __asm__("ssub8 %0, %1, %2" : "=r"(difference) : "r"(a), "r"(b));
    return difference;
}

static inline void dimmer_slice_fours(const int8_t *from, int8_t *to, size_t count, uint32_t bits) {
    const int8_t *const end = from + (count & ~(size_t)3);

    for (; from != end; from += 4, to += 4) {
        uint32_t word;

        memcpy(&word, from, sizeof word);
        if (bits == 4u) {
            word = dimmer_rounded_codes(word, 0x08080808u) >> 4 & 0x0F0F0F0Fu;
            word = dimmer_less_bytes(word ^ 0x08080808u, 0x08080808u);
        } else {
            word = dimmer_rounded_codes(word, 0x20202020u) >> 6 & 0x03030303u;
            word = dimmer_less_bytes(word ^ 0x02020202u, 0x02020202u);
            word = dimmer_less_bytes(word << 3 & 0xF8F8F8F8u, word);
        }
        memcpy(to, &word, sizeof word);
    }
    dimmer_slice(from, to, count & 3u, bits);
}

#endif
