/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

#include <string.h>

void dimmer_requantize_s8_table(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_requantize_s8_table_t *t = (const dimmer_requantize_s8_table_t *)record;
    const dimmer_requantize_s8_t *r = &t->requantize;
    const uint8_t *from = arena + r->input;
    const uint8_t *const end = from + r->elements;
    uint8_t *to = arena + r->output;
    uint8_t *const table = arena + t->scratch;
    uint32_t code;

    DIMMER_ASSERT(r->shift >= -31 && r->shift <= 30);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
    (void)model;
    for (code = 0; code < 256u; ++code) {
        const int32_t x = r->input_unsigned || code < 128u ? (int32_t)code : (int32_t)code - 256;
        int32_t y =
            dimmer_requantize(x - r->input_zero_point, r->multiplier, r->shift) + r->output_zero_point;

        y = y < r->activation_min ? r->activation_min : y;
        y = y > r->activation_max ? r->activation_max : y;
        table[code] = (uint8_t)y;
    }
#if defined(__ARM_FEATURE_UNALIGNED)
    /* One load for four codes; elsewhere it would be a call, or four loads all the same. */
    for (; end - from >= 4; from += 4, to += 4) {
        uint32_t four;

        memcpy(&four, from, sizeof four);
        to[0] = table[four & 0xFFu];
        to[1] = table[(four >> 8) & 0xFFu];
        to[2] = table[(four >> 16) & 0xFFu];
        to[3] = table[four >> 24];
    }
#else
    for (; end - from >= 4; from += 4, to += 4) {
        to[0] = table[from[0]];
        to[1] = table[from[1]];
        to[2] = table[from[2]];
        to[3] = table[from[3]];
    }
#endif
    for (; from != end; ++from, ++to) {
        *to = table[*from];
    }
}
