/* SPDX-License-Identifier: Apache-2.0 */
/* ADD by tables: what each of an input's 256 values adds, filled once for a layer. */
#ifndef DIMMER_SUM_TABLE_H
#define DIMMER_SUM_TABLE_H

#include "dimmer_kernels.h"

#define DIMMER_SUM_TABLE_WORDS 512u

/* An addition made ready; tables point to their middles. Where `places` is not 0, they hold parts of the
 * output in units of 2^-places, the zero point and a half among them; otherwise twice what is added before it
 * is rescaled. */
typedef struct {
    const int32_t *first;
    const int32_t *second;
    int32_t multiplier;
    int32_t start;
    int32_t shift;
    uint32_t places;
    int32_t low;
    int32_t high;
} dimmer_sum_table_t;

/* With input `operand` of ADD, 1 or 2, as the first; `tables` has DIMMER_SUM_TABLE_WORDS. shift_output is
 * -22..-1, places as dimmer_add_s8_table_t says. */
dimmer_sum_table_t dimmer_sum_table_of(const dimmer_add_s8_t *r, uint32_t operand, uint32_t places,
                                       int32_t *tables);

/* output[i] = first[i] + second[i]; output may be either. */
void dimmer_sum_table_run(const dimmer_sum_table_t *sum, const int8_t *first, const int8_t *second,
                          int8_t *output, uint32_t count);

#endif
