/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_gates.h"
#include "dimmer_governor.h"
#include "engine.h"
#include "reading.h"
#include "shared_byte.h"

static int little_endian(void) {
    const uint16_t probe = 1u;

    return *(const uint8_t *)&probe == 1u;
}

/* Of a model whose dims_crc is right. */
static uint32_t model_crc(const dimmer_model_t *model) {
    const dimmer_dims_t *n = &model->dims;
    const dimmer_kernel_t *k;
    uint32_t crc = model->dims_crc;

    crc = dimmer_crc32(crc, model->weights, n->weights_size);
    crc = dimmer_crc32(crc, model->params, n->param_count * sizeof *model->params);
    crc = dimmer_crc32(crc, model->shifts, n->shift_count * sizeof *model->shifts);
    for (k = model->kernels; k != model->kernels + n->kernel_count; ++k) {
        crc = dimmer_crc32(crc, k->records, (size_t)k->record_size * k->record_count);
    }
    crc = dimmer_crc32(crc, model->steps, n->step_count * sizeof *model->steps);
    crc = dimmer_crc32(crc, model->blocks, n->block_count * sizeof *model->blocks);
    crc = dimmer_crc32(crc, model->schedules,
                       (size_t)n->mode_count * n->position_count * sizeof *model->schedules);
    crc = dimmer_crc32(crc, &model->policy, sizeof model->policy);
    if (model->plan != NULL) {
        crc = dimmer_crc32(crc, model->plan, sizeof *model->plan);
    }
    return model->gates == NULL ? crc : model->gates->calls->crc(crc, model);
}

static int inside(const dimmer_tensor_t *tensor, uint32_t arena_size) {
    return tensor->size <= arena_size && tensor->offset <= arena_size - tensor->size;
}

/* Whether the kernels' records have the size that dims says: read before the records are. */
static int records_hold(const dimmer_model_t *model) {
    const dimmer_kernel_t *k = model->kernels;
    const dimmer_kernel_t *const end = k + model->dims.kernel_count;
    uint32_t left = model->dims.record_bytes;

    for (; k != end; ++k) {
        const uint32_t bytes = (uint32_t)k->record_size * k->record_count;

        if (bytes > left) {
            return 0;
        }
        left -= bytes;
    }
    return left == 0u;
}

static int has_mode(const dimmer_model_t *model, uint8_t mode) {
    return mode < model->dims.mode_count || (mode == DIMMER_MODE_GATED && model->gates != NULL);
}

int dimmer_has_modes(const dimmer_model_t *model, const dimmer_policy_t *policy) {
    uint32_t i;

    if (policy->tier_count > DIMMER_MAX_TIERS || policy->safe_mode >= model->dims.mode_count) {
        return 0;
    }
    for (i = 0; i < policy->tier_count; ++i) {
        if (!has_mode(model, policy->tiers[i].mode)) {
            return 0;
        }
    }
    return 1;
}

/* Whether every index that dimmer_invoke follows stays inside its table. Offsets inside the records are
 * the generator's word, for which the CRC stands. */
static int tables_hold(const dimmer_model_t *model) {
    const dimmer_dims_t *n = &model->dims;
    const uint32_t scheduled = (uint32_t)n->mode_count * n->position_count;
    const dimmer_kernel_t *k;
    const dimmer_step_t *s;
    const dimmer_block_t *b;
    uint32_t i;

    if (n->mode_count == 0u || n->mode_count > 255u || n->position_count == 0u ||
        !inside(&n->input, n->arena_size) || !inside(&n->output, n->arena_size) ||
        !dimmer_has_modes(model, &model->policy)) {
        return 0;
    }
    for (k = model->kernels; k != model->kernels + n->kernel_count; ++k) {
        if (k->run == NULL) {
            return 0;
        }
    }
    for (s = model->steps; s != model->steps + n->step_count; ++s) {
        if (s->kernel >= n->kernel_count || s->record >= model->kernels[s->kernel].record_count) {
            return 0;
        }
    }
    for (b = model->blocks; b != model->blocks + n->block_count; ++b) {
        if (b->step_count > n->step_count || b->first_step > n->step_count - b->step_count) {
            return 0;
        }
    }
    for (i = 0; i < scheduled; ++i) {
        if (model->schedules[i] >= n->block_count) {
            return 0;
        }
    }
    return model->gates == NULL || model->gates->calls->hold(model);
}

static dimmer_status_t check(const dimmer_model_t *model, const void *arena, size_t arena_size) {
    if (model == NULL || arena == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if (model->magic != DIMMER_MAGIC) {
        return DIMMER_ERR_MAGIC;
    }
    if (model->abi != DIMMER_ABI) {
        return DIMMER_ERR_ABI;
    }
    if (!little_endian()) {
        return DIMMER_ERR_ENDIAN;
    }
    if (dimmer_crc32(0u, &model->dims, sizeof model->dims) != model->dims_crc || !records_hold(model) ||
        (model->dims.gate_count != 0u) != (model->gates != NULL) || model_crc(model) != model->crc) {
        return DIMMER_ERR_CRC;
    }
    if (!tables_hold(model)) {
        return DIMMER_ERR_TABLE;
    }
    if (arena_size < model->dims.arena_size) {
        return DIMMER_ERR_ARENA_SIZE;
    }
    if ((uintptr_t)arena % DIMMER_ARENA_ALIGN != 0u) {
        return DIMMER_ERR_ARENA_ALIGN;
    }
    return DIMMER_OK;
}

dimmer_status_t dimmer_init(dimmer_t *d, const dimmer_model_t *model, void *arena, size_t arena_size) {
    dimmer_status_t status;

    if (d == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    /* Whatever follows, there is no model until it is found to be whole. */
    memset(d, 0, sizeof *d);
    status = check(model, arena, arena_size);
    if (status == DIMMER_OK) {
        d->model = model;
        d->arena = (uint8_t *)arena;
        d->mode_count = (uint8_t)model->dims.mode_count;
        d->policy = &model->policy;
        d->safe_mode = model->policy.safe_mode;
        d->gating.level = 255u;
    }
    return status;
}

int8_t *dimmer_input(dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->model != NULL ? (int8_t *)(d->arena + d->model->dims.input.offset) : NULL;
}

const int8_t *dimmer_output(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->model != NULL ? (const int8_t *)(d->arena + d->model->dims.output.offset) : NULL;
}

dimmer_status_t dimmer_set_mode(dimmer_t *d, dimmer_mode_id_t mode) {
    DIMMER_ASSERT(d != NULL);
    if (mode >= d->mode_count) {
        if (d->model == NULL) {
            return DIMMER_ERR_INIT;
        }
        if (mode != DIMMER_MODE_GATED || d->model->gates == NULL) {
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
    return d->model != NULL ? d->model->dims.gate_count : 0u;
}

uint8_t dimmer_gated_bits(const dimmer_t *d, uint16_t block) {
    DIMMER_ASSERT(d != NULL);
    /* Gates that have begun have a model. */
    if (d->gating.begun && block < d->model->dims.gate_count) {
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

/* Lifts a brown-out that is over. */
static void look_at_the_supply(dimmer_t *d, const dimmer_battery_t *now) {
    const uint8_t count = DIMMER_LOAD(d->brown_outs);

    d->calm_s += dimmer_elapsed(d->reported_s, now->time_s);
    if (count != d->brown_outs_seen) {
        d->brown_outs_seen = count;
        d->calm_s = 0u;
    }
    d->reported_s = now->time_s;
    if (d->calm_s >= DIMMER_BROWN_OUT_S || (now->flags & DIMMER_EXTERNAL_POWER) != 0u) {
        DIMMER_STORE(d->browned_out, 0u);
        /* An interrupt may have come in between. */
        if (DIMMER_LOAD(d->brown_outs) != count) {
            DIMMER_STORE(d->browned_out, 1u);
        }
    }
}

dimmer_status_t dimmer_report_battery(dimmer_t *d, const dimmer_battery_t *now) {
    const dimmer_policy_t *policy;
    const dimmer_tier_t *tier;

    DIMMER_ASSERT(d != NULL);
    if (now == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if (d->model == NULL) {
        return DIMMER_ERR_INIT;
    }
    look_at_the_supply(d, now);
    if (d->governor != NULL) {
        d->governor_calls->report(d->governor, now);
        return DIMMER_OK;
    }
    policy = d->policy;
    if (policy->tier_count == 0u) {
        return DIMMER_ERR_POLICY;
    }
    dimmer_policy_step(policy, &d->policy_state, now);
    d->inferences_left = policy->stale_inferences;
    tier = &policy->tiers[d->policy_state.tier];
    DIMMER_STORE(d->gating.level, tier->level);
    return dimmer_set_mode(d, tier->mode);
}

void dimmer_on_block(dimmer_t *d, dimmer_block_hook_t hook, void *user) {
    DIMMER_ASSERT(d != NULL);
    d->hook = hook;
    d->user = user;
}

dimmer_status_t dimmer_invoke(dimmer_t *d) {
    const dimmer_model_t *model;
    uint32_t positions;
    uint32_t position = 0;

    DIMMER_ASSERT(d != NULL);
    model = d->model;
    if (model == NULL) {
        return DIMMER_ERR_INIT;
    }
    positions = model->dims.position_count;
    d->gating.begun = 0u;
    if (d->inferences_left != 0u && --d->inferences_left == 0u) {
        DIMMER_STORE(d->wanted, d->safe_mode);
    }
    /* A model has one position at least. */
    for (;;) {
        const dimmer_block_t *block;
        const dimmer_step_t *step;
        const dimmer_step_t *end;
        /* Read once: an interrupt or a thread may store another mode at any time. */
        uint8_t mode = DIMMER_LOAD(d->wanted);

        if (DIMMER_LOAD(d->browned_out) != 0u) {
            mode = d->safe_mode;
        }
        if (mode == DIMMER_MODE_GATED) {
            block = model->gates->calls->next(d, (uint16_t)position);
        } else {
            DIMMER_STORE(d->running, mode);
            block = &model->blocks[model->schedules[mode * positions + position]];
        }
        step = &model->steps[block->first_step];
        for (end = step + block->step_count; step != end; ++step) {
            const dimmer_kernel_t *kernel = &model->kernels[step->kernel];
            kernel->run(model, (const uint8_t *)kernel->records + (size_t)kernel->record_size * step->record,
                        d->arena);
        }
        if (++position == positions) {
            return DIMMER_OK;
        }
        if (d->hook != NULL) {
            d->hook(d, (uint16_t)position, d->user);
        }
    }
}
