/* SPDX-License-Identifier: Apache-2.0 */
#include "helium_entry.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

void dimmer_conv2d_add_s8_entry_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_add_s8_entry_mve_t *d = (const dimmer_conv2d_add_s8_entry_mve_t *)record;
    const dimmer_helium_entry_t entry =
        dimmer_helium_entry(d->entry_multiplier, d->entry_zero_point, d->entry_shift);

    dimmer_helium_layer(model, &d->conv, d->group, d->columns, &d->add, d->operand, &entry, arena);
}

#endif
