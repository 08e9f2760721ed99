/* SPDX-License-Identifier: Apache-2.0 */
#include "sum_dsp.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

void dimmer_add_s8_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_add_s8_dsp_t *d = (const dimmer_add_s8_dsp_t *)record;
    const dimmer_sum_dsp_t sum = dimmer_sum_prepare(&d->add, (int32_t *)(void *)(arena + d->scratch));

    dimmer_require_plain_sum(&d->add, -22, -1);
    (void)model;
    dimmer_sum_run(&sum, (const int8_t *)(arena + d->add.input1), (const int8_t *)(arena + d->add.input2),
                   (int8_t *)(arena + d->add.output), d->add.dims[3]);
}

#endif
