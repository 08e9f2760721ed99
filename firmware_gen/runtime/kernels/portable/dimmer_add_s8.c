/* SPDX-License-Identifier: Apache-2.0 */
#include "sum.h"
#include "../common/require.h"

void dimmer_add_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    dimmer_require_sum((const dimmer_add_s8_t *)record, -31, 0);
    dimmer_sum_s8(model, (const dimmer_add_s8_t *)record, arena, 1);
}
