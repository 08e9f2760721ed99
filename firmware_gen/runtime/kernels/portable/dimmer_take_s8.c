/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_take_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_take_s8_t *r = (const dimmer_take_s8_t *)record;
    const uint8_t *input = arena + r->input;
    uint8_t *output = arena + r->output;
    const int32_t *planes = model->params + r->offsets;
    const int32_t *rows = planes + r->dims[0];
    const int32_t *runs = rows + r->dims[1];
    const size_t length = r->dims[3];
    size_t i;
    size_t j;
    size_t k;

    for (i = 0; i < r->dims[0]; ++i) {
        for (j = 0; j < r->dims[1]; ++j) {
            const int hole = planes[i] == INT32_MIN || rows[j] == INT32_MIN;
            const int32_t at = hole ? 0 : planes[i] + rows[j];

            for (k = 0; k < r->dims[2]; ++k, output += length) {
                if (hole || runs[k] == INT32_MIN) {
                    memset(output, r->fill, length);
                } else if (length == 1u) {
                    *output = input[at + runs[k]];
                } else {
                    memcpy(output, input + (at + runs[k]), length);
                }
            }
        }
    }
}
