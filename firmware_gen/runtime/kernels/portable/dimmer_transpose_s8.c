/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_transpose_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_transpose_s8_t *r = (const dimmer_transpose_s8_t *)record;
    const uint8_t *input = arena + r->input;
    uint8_t *output = arena + r->output;
    size_t i0;
    size_t i1;
    size_t i2;
    size_t i3;

    (void)model;
    for (i0 = 0; i0 < r->dims[0]; ++i0) {
        for (i1 = 0; i1 < r->dims[1]; ++i1) {
            for (i2 = 0; i2 < r->dims[2]; ++i2) {
                const uint8_t *from = input + i0 * r->strides[0] + i1 * r->strides[1] + i2 * r->strides[2];

                if (r->strides[3] == 1u) {
                    memcpy(output, from, r->dims[3]);
                    output += r->dims[3];
                    continue;
                }
                for (i3 = 0; i3 < r->dims[3]; ++i3, from += r->strides[3]) {
                    *output++ = *from;
                }
            }
        }
    }
}
