/* SPDX-License-Identifier: Apache-2.0 */
#include "sum_table.h"

#include "../common/rescale.h"

#define VALUES 256

/* An input, and what its values become. */
typedef struct {
    int32_t multiplier;
    int shift;
    int32_t zero_point;
    int32_t scale; /* the output's multiplier */
    int right;     /* how far the product with it is shifted; 0: it is doubled instead */
    int32_t more;  /* added to each value */
} input_t;

/* What each value of an input adds; returns the middle. */
static const int32_t *tabulate(const input_t *input, int32_t left_shift, int32_t *to) {
    int32_t value;

    for (value = -VALUES / 2; value < VALUES / 2; ++value) {
        const int32_t wide = (int32_t)((uint32_t)(value - input->zero_point) << left_shift);
        const int32_t x = dimmer_requantize(wide, input->multiplier, input->shift);

        if (input->right == 0) {
            *to++ = 2 * x;
        } else {
            const int64_t half = (int64_t)1 << (input->right - 1);

            *to++ = (int32_t)(((int64_t)x * input->scale + half) >> input->right) + input->more;
        }
    }
    return to - VALUES / 2;
}

dimmer_sum_table_t dimmer_sum_table_of(const dimmer_add_s8_t *r, uint32_t operand, uint32_t places,
                                       int32_t *tables) {
    const dimmer_rescale_t rescale =
        dimmer_rescale_of(0, r->multiplier_output, r->shift_output, r->output_zero_point);
    const int right = places == 0u ? 0 : 31 - r->shift_output - (int)places;
    const int32_t half = places == 0u ? 0 : (int32_t)1 << (places - 1u);
    const input_t first = {r->multiplier1,       r->shift1, r->zero_point1,
                           r->multiplier_output, right,     half + 2 * half * r->output_zero_point};
    const input_t second = {r->multiplier2, r->shift2, r->zero_point2, r->multiplier_output, right, 0};
    dimmer_sum_table_t sum;

    sum.first = tabulate(&first, r->left_shift, tables);
    sum.second = tabulate(&second, r->left_shift, tables + VALUES);
    if (operand == 2u) {
        const int32_t *const other = sum.first;

        sum.first = sum.second;
        sum.second = other;
    }
    sum.multiplier = rescale.multiplier;
    sum.start = rescale.start;
    sum.shift = rescale.shift;
    sum.places = places;
    sum.low = r->activation_min;
    sum.high = r->activation_max;
    return sum;
}

void dimmer_sum_table_run(const dimmer_sum_table_t *sum, const int8_t *first, const int8_t *second,
                          int8_t *output, uint32_t count) {
    /* A copy: a store through int8_t may change it for all that the compiler knows. */
    const dimmer_sum_table_t s = *sum;
    const int8_t *const end = output + count;

    if (s.places != 0u) {
        while (output != end) {
            const int32_t x = (s.first[*first++] + s.second[*second++]) >> s.places;

            *output++ = dimmer_clamp_s8(x, s.low, s.high);
        }
    }
    while (output != end) {
        const int32_t doubled = s.first[*first++] + s.second[*second++];

        *output++ = dimmer_clamp_s8(dimmer_rescale(doubled, s.multiplier, s.start, s.shift), s.low, s.high);
    }
}
