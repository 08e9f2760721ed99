/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_gates.h"
#include "engine.h"
#include "shared_byte.h"

dimmer_status_t dimmer_init(dimmer_t *d, const dimmer_model_t *model, void *arena, size_t arena_size) {
    dimmer_status_t status;

    if (d == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    /* Whatever follows, there is no model until it is found to be whole. */
    memset(d, 0, sizeof *d);
    status = dimmer_check_model(model, arena, arena_size);
    if (status == DIMMER_OK) {
        d->model = model;
        d->arena = (uint8_t *)arena;
        d->mode_count = (uint8_t)model->dims.mode_count;
        d->gated = (uint8_t)(model->gates != NULL);
        d->policy = &model->policy;
        d->safe_mode = model->policy.safe_mode;
        d->gating.level = 255u;
        d->seal = dimmer_seal(d);
    }
    return status;
}

int8_t *dimmer_input(dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return dimmer_whole(d) == DIMMER_OK ? (int8_t *)(d->arena + d->model->dims.input.offset) : NULL;
}

const int8_t *dimmer_output(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->model != NULL && d->seal == dimmer_seal(d)
               ? (const int8_t *)(d->arena + d->model->dims.output.offset)
               : NULL;
}

dimmer_status_t dimmer_set_mode(dimmer_t *d, dimmer_mode_id_t mode) {
    DIMMER_ASSERT(d != NULL);
    /* Nothing is followed and nothing called: dimmer_invoke looks whether the state is whole. */
    if (mode >= d->mode_count) {
        if (d->model == NULL) {
            return DIMMER_ERR_INIT;
        }
        if (mode != DIMMER_MODE_GATED || !d->gated) {
            return DIMMER_ERR_MODE;
        }
    }
    DIMMER_STORE(d->wanted, mode);
    return DIMMER_OK;
}

dimmer_mode_id_t dimmer_mode(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return DIMMER_LOAD(d->wanted);
}

dimmer_mode_id_t dimmer_running_mode(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return DIMMER_LOAD(d->running);
}

void dimmer_set_budget(dimmer_t *d, uint8_t level) {
    DIMMER_ASSERT(d != NULL);
    DIMMER_STORE(d->gating.level, level);
}

uint16_t dimmer_gated_blocks(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->model != NULL && d->seal == dimmer_seal(d) ? d->model->dims.gate_count : 0u;
}

uint8_t dimmer_gated_bits(const dimmer_t *d, uint16_t block) {
    DIMMER_ASSERT(d != NULL);
    if (d->gating.begun && block < dimmer_gated_blocks(d)) {
        const uint8_t choice = d->gating.choice[block];

        if (choice < DIMMER_GATE_OPTIONS) {
            return d->model->gates->gates[block].options[choice];
        }
    }
    return DIMMER_BITS_UNKNOWN;
}

void dimmer_brown_out(dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    DIMMER_STORE(d->brown_outs, (uint8_t)(DIMMER_LOAD(d->brown_outs) + 1u));
    DIMMER_STORE(d->browned_out, 1u);
}

void dimmer_recover(dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    DIMMER_STORE(d->browned_out, 0u);
}

void dimmer_on_block(dimmer_t *d, dimmer_block_hook_t hook, void *user) {
    uintptr_t damage;

    DIMMER_ASSERT(d != NULL);
    /* What is damaged stays so. */
    damage = d->seal ^ dimmer_seal(d);
    d->hook = hook;
    d->user = user;
    d->seal = dimmer_seal(d) ^ damage;
}
