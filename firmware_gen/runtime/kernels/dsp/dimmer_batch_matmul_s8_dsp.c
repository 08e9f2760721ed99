/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/dot.h"
#include "../common/product.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

void dimmer_batch_matmul_s8_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_batch_matmul_s8_dsp_t *d = (const dimmer_batch_matmul_s8_dsp_t *)record;

    DIMMER_ASSERT(d->product.step1 == 1 && d->product.step1_jump == 0);
    dimmer_products(model, &d->product, arena, d->scratch, dimmer_dot_2x2);
}

#endif
