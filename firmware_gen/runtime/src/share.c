/* SPDX-License-Identifier: Apache-2.0 */
#include "governor.h"
#include "smallest_code.h"

/* By digits of 8 bits, so that 32 bits hold a rest and its next digit: the division of 64 bits that compilers
 * bring takes more flash than the whole governor. */
uint32_t dimmer_share_of(uint32_t a, uint32_t b, uint32_t c) {
    uint64_t product = (uint64_t)a * b;
    uint32_t share = UINT32_MAX;
    uint32_t rest;
    uint32_t low;
    uint32_t digits;

    if (c >> 24 != 0u) {
        /* Costs a 65536th at most. */
        product >>= 8;
        c >>= 8;
    }
    rest = (uint32_t)(product >> 32);
    low = (uint32_t)product;
    if (rest < c) {
        for (digits = 4u; digits != 0u; --digits) {
            rest = rest << 8 | low >> 24;
            low <<= 8;
            share = share << 8 | rest / c;
            rest %= c;
        }
    }
    return share;
}
