/* SPDX-License-Identifier: Apache-2.0 */
#include "sum_table.h"
#include "../common/require.h"
#include "../common/rescale.h"
#include "../portable/pair.h"

/* One element of the second input for all of a row of the first. */
static void run_with(const dimmer_sum_table_t *sum, const int32_t *table, const int8_t *input, int32_t other,
                     int8_t *output, uint32_t count) {
    const uint32_t places = sum->places;
    const int32_t low = sum->low;
    const int32_t high = sum->high;
    const int8_t *const end = output + count;

    if (places != 0u) {
        while (output != end) {
            *output++ = dimmer_clamp_s8((table[*input++] + other) >> places, low, high);
        }
    } else {
        const int32_t multiplier = sum->multiplier;
        const int32_t start = sum->start;
        const int32_t shift = sum->shift;

        while (output != end) {
            const int32_t x = dimmer_rescale(table[*input++] + other, multiplier, start, shift);

            *output++ = dimmer_clamp_s8(x, low, high);
        }
    }
}

void dimmer_sum_s8_table(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_sum_s8_table_t *t = (const dimmer_sum_s8_table_t *)record;
    const dimmer_add_s8_t *r = &t->add;
    int32_t *const tables = (int32_t *)(void *)(arena + t->scratch);
    const dimmer_sum_table_t sum = dimmer_sum_table_of(r, 1u, t->places, tables);
    const uint32_t dims[4] = {r->dims[0], r->dims[1], r->dims[2], r->dims[3]};
    dimmer_pairs_t p = DIMMER_PAIRS(model, arena, r);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t i;

    dimmer_require_sum(r, -22, -1);
    if (t->subtract != 0u) {
        for (i = DIMMER_SUM_TABLE_WORDS / 2u; i < DIMMER_SUM_TABLE_WORDS; ++i) {
            tables[i] = -tables[i];
        }
    }
    dimmer_start_rows(&p, dims, r->broadcast1, r->broadcast2);
    do {
        if (p.strides2[3] == 0u) {
            run_with(&sum, sum.first, p.input1, sum.second[*p.input2], output, dims[3]);
        } else if (p.strides1[3] == 0u) {
            run_with(&sum, sum.second, p.input2, sum.first[*p.input1], output, dims[3]);
        } else {
            dimmer_sum_table_run(&sum, p.input1, p.input2, output, dims[3]);
        }
        output += dims[3];
    } while (dimmer_next_row(&p, dims));
}
