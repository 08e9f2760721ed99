/* SPDX-License-Identifier: Apache-2.0 */
#include "helium.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

void dimmer_add_s8_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_add_s8_mve_t *d = (const dimmer_add_s8_mve_t *)record;
    const dimmer_helium_sum_t sum =
        dimmer_helium_sum_prepare(&d->add, (int32_t *)(void *)(arena + d->scratch));

    dimmer_require_plain_sum(&d->add, -31, -1);
    DIMMER_ASSERT(d->add.left_shift == 20);
    (void)model;
    dimmer_helium_sum_run(&sum, (const int8_t *)(arena + d->add.input1),
                          (const int8_t *)(arena + d->add.input2), (int8_t *)(arena + d->add.output),
                          d->add.dims[3]);
}

#endif
