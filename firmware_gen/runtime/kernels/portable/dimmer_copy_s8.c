/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../common/broadcast.h"
#include "../common/require.h"

void dimmer_copy_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_copy_s8_t *r = (const dimmer_copy_s8_t *)record;
    const int8_t *from = dimmer_operand(model, arena, r->input_blob, r->input);
    uint8_t *to = arena + r->output;
    uint32_t row;

    DIMMER_ASSERT(r->input_blob <= DIMMER_IN_WEIGHTS);
    for (row = 0; row < r->rows; ++row, from += r->input_stride, to += r->output_stride) {
        memcpy(to, from, r->row_bytes);
    }
}
