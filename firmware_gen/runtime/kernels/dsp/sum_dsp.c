/* SPDX-License-Identifier: Apache-2.0 */
#include "sum_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* The upper word of a * b + rounding * 2^32 + 2^31. */
static inline int32_t upper(int32_t a, int32_t b, int32_t rounding) {
    int32_t high;

    __asm__("smmlar %0, %1, %2, %3" : "=r"(high) : "r"(a), "r"(b), "r"(rounding));
    return high;
}

/* Twice what each code adds, as dimmer_sum_run wants it: dimmer_requantize, as short as in direct_dsp.c,
 * since left shifts leave numbers below 2^28. */
static const int32_t *fill(int32_t *table, int32_t zero_point, int32_t left_shift, int32_t multiplier,
                           int32_t shift) {
    const int32_t half = shift < 0 ? (int32_t)1 << (-shift - 1) : 0;
    int32_t code;

    table += DIMMER_SUM_TABLE_WORDS / 2u;
    for (code = -128; code < 128; ++code) {
        const int32_t doubled = (int32_t)((uint32_t)(code - zero_point) << (left_shift + 1));
        const int32_t sign = shift < 0 && doubled < 0 ? -1 : 0;

        table[code] = 2 * (upper(doubled, multiplier, half + sign) >> -shift);
    }
    return table;
}

dimmer_sum_dsp_t dimmer_sum_prepare(const dimmer_add_s8_t *r, int32_t *scratch) {
    dimmer_sum_dsp_t sum;

    sum.table1 = fill(scratch, r->zero_point1, r->left_shift, r->multiplier1, r->shift1);
    sum.table2 =
        fill(scratch + DIMMER_SUM_TABLE_WORDS, r->zero_point2, r->left_shift, r->multiplier2, r->shift2);
    sum.multiplier = r->multiplier_output;
    sum.shift = -r->shift_output;
    sum.rounding = (int32_t)((uint32_t)r->output_zero_point << sum.shift) + ((int32_t)1 << (sum.shift - 1));
    sum.low = r->activation_min;
    sum.high = r->activation_max;
    return sum;
}

dimmer_sum_dsp_t dimmer_sum_operand(const dimmer_add_s8_t *r, uint32_t operand, int32_t *scratch) {
    dimmer_sum_dsp_t sum = dimmer_sum_prepare(r, scratch);

    if (operand == 2u) {
        const int32_t *const second = sum.table2;

        sum.table2 = sum.table1;
        sum.table1 = second;
    }
    return sum;
}

/* As in direct_dsp.c; `doubled` is twice the sum. */
static inline int32_t rescaled(int32_t doubled, int32_t multiplier, int32_t rounding, int32_t shift) {
    int32_t result;

    __asm__("ssat %0, #8, %1"
            : "=r"(result)
            : "r"(upper(doubled, multiplier, rounding + (doubled >> 31)) >> shift));
    return result;
}

void dimmer_sum_run(const dimmer_sum_dsp_t *sum, const int8_t *first, const int8_t *second, int8_t *output,
                    uint32_t count) {
    const int32_t *const table1 = sum->table1;
    const int32_t *const table2 = sum->table2;
    const int32_t multiplier = sum->multiplier;
    const int32_t rounding = sum->rounding;
    const int32_t shift = sum->shift;
    const int32_t low = sum->low;
    const int32_t high = sum->high;
    int8_t *const end = output + count;
    int8_t *const fours = output + (count & ~(uint32_t)3);

#define ONE() *output++ = (int8_t)rescaled(table1[*first++] + table2[*second++], multiplier, rounding, shift)
    if (low <= -128 && high >= 127) {
        while (output != fours) {
            ONE();
            ONE();
            ONE();
            ONE();
        }
        while (output != end) {
            ONE();
        }
    }
#undef ONE
    for (; output != end; ++output) {
        const int32_t x = rescaled(table1[*first++] + table2[*second++], multiplier, rounding, shift);

        *output = (int8_t)(x < low ? low : x > high ? high : x);
    }
}

#endif
