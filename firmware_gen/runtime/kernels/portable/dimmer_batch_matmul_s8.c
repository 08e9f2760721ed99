/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/product.h"
#include "../common/require.h"

static int32_t sum_of(const dimmer_batch_matmul_s8_t *r, const int8_t *x, const int8_t *w) {
    const int32_t zero1 = r->zero_point1;
    const int32_t zero2 = r->zero_point2;
    int32_t sum = 0;
    uint32_t done;
    uint32_t k;

    for (done = 0; done < r->depth; done += r->depth_run, x += r->step1_jump, w += r->step2_jump) {
        for (k = 0; k < r->depth_run; ++k, x += r->step1, w += r->step2) {
            sum += (*x - zero1) * (*w - zero2);
        }
    }
    return sum;
}

void dimmer_batch_matmul_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_batch_matmul_s8_t *r = (const dimmer_batch_matmul_s8_t *)record;
    const int8_t *first = dimmer_operand(model, arena, r->input1_blob, r->input1);
    const int8_t *second = dimmer_operand(model, arena, r->input2_blob, r->input2);
    int8_t *output = (int8_t *)(arena + r->output);
    const int32_t *places = model->params + r->places;
    uint32_t b;
    uint32_t i;
    uint32_t j;

    DIMMER_ASSERT(r->input1_blob <= DIMMER_IN_WEIGHTS && r->input2_blob <= DIMMER_IN_WEIGHTS);
    for (b = 0; b < r->batches; ++b, places += 3) {
        dimmer_place_t row = {places[0], places[2], r->rows_run};

        for (i = 0; i < r->rows; ++i, dimmer_next_product_row(r, &row)) {
            dimmer_place_t column = {places[1], 0, r->columns_run};

            for (j = 0; j < r->columns; ++j, dimmer_next_column(r, &column)) {
                const int32_t sum = sum_of(r, first + row.operand, second + column.operand);

                output[row.result + column.result] = dimmer_product_code(r, sum);
            }
        }
    }
}
