/* SPDX-License-Identifier: Apache-2.0 */
#include "sum_table.h"
#include "../common/require.h"

void dimmer_add_s8_table(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_add_s8_table_t *t = (const dimmer_add_s8_table_t *)record;
    const dimmer_add_s8_t *r = &t->add;
    const dimmer_sum_table_t sum =
        dimmer_sum_table_of(r, 1u, t->places, (int32_t *)(void *)(arena + t->scratch));

    dimmer_require_plain_sum(r, -22, -1);
    (void)model;
    dimmer_sum_table_run(&sum, (const int8_t *)(arena + r->input1), (const int8_t *)(arena + r->input2),
                         (int8_t *)(arena + r->output), r->dims[0] * r->dims[1] * r->dims[2] * r->dims[3]);
}
