#include "sum_dsp.h"

#include "../fixedpoint.h"

#if defined(__ARM_FEATURE_DSP)

static const int32_t *fill(int32_t *table, int32_t zero_point, int32_t left_shift, int32_t multiplier,
                           int32_t shift) {
    int32_t code;

    table += DIMMER_SUM_TABLE_WORDS / 2u;
    for (code = -128; code < 128; ++code) {
        table[code] =
            dimmer_requantize((int32_t)((uint32_t)(code - zero_point) << left_shift), multiplier, shift);
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

/* As in direct_dsp.c. */
static inline int32_t rescaled(int32_t x, int32_t multiplier, int32_t rounding, int32_t shift) {
    int32_t high;
    int32_t result;

    __asm__("smmlar %0, %1, %2, %3" : "=r"(high) : "r"(x + x), "r"(multiplier), "r"(rounding + (x >> 31)));
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(high >> shift));
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
