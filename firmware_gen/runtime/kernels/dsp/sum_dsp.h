/* SPDX-License-Identifier: Apache-2.0 */
/* ADD for Arm cores with the DSP extension. Where the generator has found a linear function of both codes
 * that gives the same, left_shift is 0, and that is computed. Else, as an int8 has 256 values, each input is
 * widened and rescaled by one load from a table, which is filled once per layer. */
#ifndef DIMMER_SUM_DSP_H
#define DIMMER_SUM_DSP_H

#include "dimmer_kernels.h"

#define DIMMER_SUM_TABLE_WORDS 256u

/* An addition made ready. Tables have twice the value of code x at [x]: they point to their middles. */
typedef struct {
    const int32_t *table1; /* null where the sum is linear */
    const int32_t *table2;
    int32_t factor1;
    int32_t factor2;
    int32_t multiplier; /* where the sum is linear, what is added */
    int32_t rounding;   /* half of what is shifted out, and the zero point above it */
    int32_t shift;
    int32_t low;
    int32_t high;
} dimmer_sum_dsp_t;

/* Words of scratch that an addition takes. */
static inline uint32_t dimmer_sum_words(const dimmer_add_s8_t *r) {
    return r->left_shift == 0 ? 0u : 2u * DIMMER_SUM_TABLE_WORDS;
}

/* Fills both tables, where there are any; `scratch` has room for
 * dimmer_sum_words. shift_output is -22..-1. */
dimmer_sum_dsp_t dimmer_sum_prepare(const dimmer_add_s8_t *r, int32_t *scratch);

/* As dimmer_sum_prepare, with input `operand`, 1 or 2, as the first. */
dimmer_sum_dsp_t dimmer_sum_operand(const dimmer_add_s8_t *r, uint32_t operand, int32_t *scratch);

/* output[i] = first[i] + second[i]; output may be either. */
void dimmer_sum_run(const dimmer_sum_dsp_t *sum, const int8_t *first, const int8_t *second, int8_t *output,
                    uint32_t count);

#endif
