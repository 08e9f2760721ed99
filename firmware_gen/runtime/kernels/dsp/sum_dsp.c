/* SPDX-License-Identifier: Apache-2.0 */
#include "sum_dsp.h"
#include "../common/assembly.h"

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

    sum.table1 = NULL;
    sum.table2 = NULL;
    sum.factor1 = r->multiplier1;
    sum.factor2 = r->multiplier2;
    if (r->left_shift != 0) {
        sum.table1 = fill(scratch, r->zero_point1, r->left_shift, r->multiplier1, r->shift1);
        sum.table2 =
            fill(scratch + DIMMER_SUM_TABLE_WORDS, r->zero_point2, r->left_shift, r->multiplier2, r->shift2);
    }
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
        const int32_t factor = sum.factor2;

        sum.table2 = sum.table1;
        sum.table1 = second;
        sum.factor2 = sum.factor1;
        sum.factor1 = factor;
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

static void clamp(int8_t *output, const int8_t *end, int32_t low, int32_t high) {
    if (low <= -128 && high >= 127) {
        return;
    }
    for (; output != end; ++output) {
        *output = (int8_t)(*output < low ? low : *output > high ? high : *output);
    }
}

#define CODE(sum)                                                                                            \
    "ssat " sum ", #8, " sum ", asr #21\n\t"                                                                 \
    "strb " sum ", [r2], #1\n\t"

/* `count` elements, factors[0] * first + factors[1] * second + factors[2] each. Assembly, so that loads are
 * neighbours. On the stack: 0 count. */
static DIMMER_ASSEMBLY void linear(const int8_t *first DIMMER_REGISTER, const int8_t *second DIMMER_REGISTER,
                                   int8_t *output DIMMER_REGISTER, const int32_t factors[3] DIMMER_REGISTER,
                                   uint32_t count DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "ldmia.w r3, {r4-r6}\n\t"
                     "ldr r12, [sp, #36]\n\t"
                     "bics r3, r12, #3\n\t"
                     "add r3, r3, r2\n\t"
                     "beq 2f\n"
                     "1:\n\t"
                     "ldrsb r7, [r0], #1\n\t"
                     "ldrsb r8, [r0], #1\n\t"
                     "ldrsb r9, [r0], #1\n\t"
                     "ldrsb r10, [r0], #1\n\t"
                     "ldrsb r11, [r1], #1\n\t"
                     "ldrsb r12, [r1], #1\n\t"
                     "ldrsb lr, [r1], #1\n\t"
                     "mla r7, r7, r4, r6\n\t"
                     "mla r8, r8, r4, r6\n\t"
                     "mla r9, r9, r4, r6\n\t"
                     "mla r10, r10, r4, r6\n\t"
                     "mla r7, r11, r5, r7\n\t"
                     "ldrsb r11, [r1], #1\n\t"
                     "mla r8, r12, r5, r8\n\t"
                     "mla r9, lr, r5, r9\n\t"
                     "mla r10, r11, r5, r10\n\t" CODE("r7") CODE("r8") CODE("r9")
                         CODE("r10") "cmp r2, r3\n\t"
                                     "bne 1b\n"
                                     "2:\n\t"
                                     "ldr r12, [sp, #36]\n\t"
                                     "ands r12, r12, #3\n\t"
                                     "beq 4f\n"
                                     "3:\n\t"
                                     "ldrsb r7, [r0], #1\n\t"
                                     "ldrsb r8, [r1], #1\n\t"
                                     "mla r7, r7, r4, r6\n\t"
                                     "mla r7, r8, r5, r7\n\t" CODE("r7") "subs r12, #1\n\t"
                                                                         "bne 3b\n"
                                                                         "4:\n\t"
                                                                         "pop {r4-r11, pc}");
}

void dimmer_sum_run(const dimmer_sum_dsp_t *sum, const int8_t *first, const int8_t *second, int8_t *output,
                    uint32_t count) {
    const int32_t *const table1 = sum->table1;
    const int32_t *const table2 = sum->table2;
    const int32_t multiplier = sum->multiplier;
    const int32_t rounding = sum->rounding;
    const int32_t shift = sum->shift;
    int8_t *const end = output + count;
    int8_t *to = output;

    if (table1 == NULL) {
        const int32_t factors[3] = {sum->factor1, sum->factor2, multiplier};

        linear(first, second, output, factors, count);
        to = end;
    }
    while (to != end) {
        *to++ = (int8_t)rescaled(table1[*first++] + table2[*second++], multiplier, rounding, shift);
    }
    clamp(output, end, sum->low, sum->high);
}

#endif
