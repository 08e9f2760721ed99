/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "broadcast.h"
#include "../common/require.h"

void dimmer_batch_matmul_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_batch_matmul_s8_t *r = (const dimmer_batch_matmul_s8_t *)record;
    const int8_t *first = dimmer_operand(model, arena, r->input1_blob, r->input1);
    const int8_t *second = dimmer_operand(model, arena, r->input2_blob, r->input2);
    int8_t *output = (int8_t *)(arena + r->output);
    const int32_t zero1 = r->zero_point1;
    const int32_t zero2 = r->zero_point2;
    const size_t step1 = r->step1;
    const size_t step2 = r->step2;
    const uint32_t depth = r->depth;
    uint32_t b;
    uint32_t i;
    uint32_t j;

    DIMMER_ASSERT(r->input1_blob <= DIMMER_IN_WEIGHTS && r->input2_blob <= DIMMER_IN_WEIGHTS);
    for (b = 0; b < r->batches; ++b, first += r->batch1, second += r->batch2) {
        for (i = 0; i < r->rows; ++i) {
            for (j = 0; j < r->columns; ++j) {
                const int8_t *x = first + (size_t)i * r->row1;
                const int8_t *w = second + (size_t)j * r->column2;
                int32_t sum = 0;
                uint32_t k;

                for (k = 0; k < depth; ++k, x += step1, w += step2) {
                    sum += (*x - zero1) * (*w - zero2);
                }
                *output++ =
                    dimmer_clamp_s8(dimmer_requantize(sum, r->multiplier, r->shift) + r->output_zero_point,
                                    INT8_MIN, INT8_MAX);
            }
        }
    }
}
