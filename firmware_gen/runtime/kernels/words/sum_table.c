/* SPDX-License-Identifier: Apache-2.0 */
#include "sum_table.h"

#include "../common/rescale.h"

#define VALUES 256

/* Twice what each value of an input adds; returns the middle. */
static const int32_t *tabulate(int32_t multiplier, int shift, int32_t left_shift, int32_t zero_point,
                               int32_t *to) {
    int32_t value;

    for (value = -VALUES / 2; value < VALUES / 2; ++value) {
        const int32_t wide = (int32_t)((uint32_t)(value - zero_point) << left_shift);

        *to++ = 2 * dimmer_requantize(wide, multiplier, shift);
    }
    return to - VALUES / 2;
}

dimmer_sum_table_t dimmer_sum_table_of(const dimmer_add_s8_t *r, uint32_t operand, int32_t *tables) {
    const dimmer_rescale_t rescale =
        dimmer_rescale_of(0, r->multiplier_output, r->shift_output, r->output_zero_point);
    dimmer_sum_table_t sum;

    sum.first = tabulate(r->multiplier1, r->shift1, r->left_shift, r->zero_point1, tables);
    sum.second = tabulate(r->multiplier2, r->shift2, r->left_shift, r->zero_point2, tables + VALUES);
    if (operand == 2u) {
        const int32_t *const other = sum.first;

        sum.first = sum.second;
        sum.second = other;
    }
    sum.multiplier = rescale.multiplier;
    sum.start = rescale.start;
    sum.shift = rescale.shift;
    sum.low = r->activation_min;
    sum.high = r->activation_max;
    return sum;
}

void dimmer_sum_table_run(const dimmer_sum_table_t *sum, const int8_t *first, const int8_t *second,
                          int8_t *output, uint32_t count) {
    /* A copy: a store through int8_t may change it for all that the compiler knows. */
    const dimmer_sum_table_t s = *sum;
    const int8_t *const end = output + count;

    while (output != end) {
        const int32_t doubled = s.first[*first++] + s.second[*second++];

        *output++ = dimmer_clamp_s8(dimmer_rescale(doubled, s.multiplier, s.start, s.shift), s.low, s.high);
    }
}
