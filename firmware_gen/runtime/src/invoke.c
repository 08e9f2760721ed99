/* SPDX-License-Identifier: Apache-2.0 */
/* The walk through the schedule. Small, so that its frame is, which lies under every kernel's. */
#include "dimmer_assert.h"
#include "engine.h"
#include "shared_byte.h"
#include "dimmer_small_code.h"

dimmer_status_t dimmer_invoke(dimmer_t *d) {
    const dimmer_model_t *model;
    dimmer_status_t status;
    uint32_t position = 0;

    DIMMER_ASSERT(d != NULL);
    status = dimmer_sound(d);
    if (status != DIMMER_OK) {
        return status;
    }
    model = d->model;
    d->gating.begun = 0u;
    if (d->inferences_left != 0u && --d->inferences_left == 0u) {
        DIMMER_STORE(d->wanted, d->safe_mode);
    }
    /* A model has one position at least. */
    for (;;) {
        const dimmer_block_t *block = dimmer_next_block(d, position);
        const dimmer_step_t *step;
        uint32_t left;

        if (block == NULL) {
            return dimmer_drop(d, DIMMER_ERR_TABLE);
        }
        step = &model->steps[block->first_step];
        for (left = block->step_count; left != 0u; --left) {
            const dimmer_kernel_t *kernel = &model->kernels[step->kernel];
            const uint32_t record = step->record;

            if (step->kernel >= model->dims.kernel_count || record >= kernel->record_count) {
                return dimmer_drop(d, DIMMER_ERR_TABLE);
            }
            kernel->run(model, (const uint8_t *)kernel->records + kernel->record_size * record, d->arena);
            ++step;
        }
        if (++position == model->dims.position_count) {
            return DIMMER_OK;
        }
        if (d->hook != NULL) {
            d->hook(d, (uint16_t)position, d->user);
            if (d->model == NULL) { /* damage was found in it */
                return DIMMER_ERR_STATE;
            }
        }
    }
}
