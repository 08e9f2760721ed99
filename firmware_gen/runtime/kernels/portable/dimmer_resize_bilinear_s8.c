/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_resize_bilinear_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_resize_bilinear_s8_t *r = (const dimmer_resize_bilinear_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    const int32_t *row = model->params + r->blends;
    const int32_t *const columns = row + 3u * (size_t)r->output_h;
    const uint32_t channels = r->channels;
    uint32_t y;
    uint32_t x;
    uint32_t c;

    for (y = 0; y < r->output_h; ++y, row += 3) {
        const int32_t *column = columns;

        for (x = 0; x < r->output_w; ++x, column += 3) {
            const int8_t *first = input + row[0] + column[0];
            const int8_t *second = input + row[1] + column[0];
            const int32_t right = column[1] - column[0];
            /* Copies: a store through int8_t may change the tables for all that the compiler knows. */
            const int32_t to_right = column[2];
            const int32_t down = row[2];

            for (c = 0; c < channels; ++c, ++first, ++second) {
                const int32_t upper = *first * (1024 - to_right) + first[right] * to_right;
                const int32_t lower = *second * (1024 - to_right) + second[right] * to_right;
                const int32_t sum = upper * (1024 - down) + lower * down;

                /* Rounded to the nearest, halves away from zero. */
                *output++ = (int8_t)((sum + ((int32_t)1 << 19) - (sum < 0 ? 1 : 0)) >> 20);
            }
        }
    }
}
