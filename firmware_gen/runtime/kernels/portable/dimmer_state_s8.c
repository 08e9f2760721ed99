/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_state_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_state_s8_t *r = (const dimmer_state_s8_t *)record;
    uint32_t guard;

    DIMMER_ASSERT(r->from_weights <= 1u && r->last <= 1u);
    memcpy(&guard, arena + r->guard, sizeof guard);
    if (guard == r->magic) {
        return;
    }
    if (r->from_weights != 0u) {
        memcpy(arena + r->output, model->weights + r->initial, r->size);
    } else {
        memset(arena + r->output, r->fill, r->size);
    }
    if (r->last != 0u) {
        memcpy(arena + r->guard, &r->magic, sizeof guard);
    }
}
