/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_pad_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_pad_s8_t *r = (const dimmer_pad_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    size_t total[4];
    size_t at[3];
    int i;

    (void)model;
    for (i = 0; i < 4; ++i) {
        total[i] = (size_t)r->before[i] + r->dims[i] + r->after[i];
    }
    for (at[0] = 0; at[0] < total[0]; ++at[0]) {
        for (at[1] = 0; at[1] < total[1]; ++at[1]) {
            for (at[2] = 0; at[2] < total[2]; ++at[2], output += total[3]) {
                int inside = 1;

                for (i = 0; i < 3; ++i) {
                    inside = inside && at[i] >= r->before[i] && at[i] < (size_t)r->before[i] + r->dims[i];
                }
                memset(output, r->value, total[3]);
                if (inside) {
                    /* The rows of the input come in the order in which they lie. */
                    memcpy(output + r->before[3], input, r->dims[3]);
                    input += r->dims[3];
                }
            }
        }
    }
}
