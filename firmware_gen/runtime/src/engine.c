#include "dimmer_assert.h"
#include "dimmer_gates.h"

static int little_endian(void) {
    const uint16_t probe = 1u;

    return *(const uint8_t *)&probe == 1u;
}

static uint32_t model_crc(const dimmer_model_t *model) {
    const dimmer_dims_t *n = &model->dims;
    uint32_t crc = dimmer_crc32(0u, n, sizeof *n);
    uint16_t i;

    crc = dimmer_crc32(crc, model->weights, n->weights_size);
    crc = dimmer_crc32(crc, model->params, n->param_count * sizeof *model->params);
    crc = dimmer_crc32(crc, model->shifts, n->shift_count * sizeof *model->shifts);
    for (i = 0; i < n->kernel_count; ++i) {
        const dimmer_kernel_t *k = &model->kernels[i];
        crc = dimmer_crc32(crc, k->records, (size_t)k->record_size * k->record_count);
    }
    crc = dimmer_crc32(crc, model->steps, n->step_count * sizeof *model->steps);
    crc = dimmer_crc32(crc, model->blocks, n->block_count * sizeof *model->blocks);
    crc = dimmer_crc32(crc, model->schedules,
                       (size_t)n->mode_count * n->position_count * sizeof *model->schedules);
    crc = dimmer_crc32(crc, &model->policy, sizeof model->policy);
    return model->gates == NULL ? crc : model->gates->calls->crc(crc, model);
}

static int inside(const dimmer_tensor_t *tensor, uint32_t arena_size) {
    return tensor->size <= arena_size && tensor->offset <= arena_size - tensor->size;
}

/* Whether the kernels' records have the size that dims says: read before the records are. */
static int records_hold(const dimmer_model_t *model) {
    uint64_t bytes = 0u;
    uint16_t i;

    for (i = 0; i < model->dims.kernel_count; ++i) {
        bytes += (uint64_t)model->kernels[i].record_size * model->kernels[i].record_count;
    }
    return bytes == model->dims.record_bytes;
}

static int has_mode(const dimmer_model_t *model, uint8_t mode) {
    return mode < model->dims.mode_count || (mode == DIMMER_MODE_GATED && model->gates != NULL);
}

/* Whether every index that dimmer_invoke follows stays inside its table. Offsets inside the records are
 * the generator's word, for which the CRC stands. */
static int tables_hold(const dimmer_model_t *model) {
    const dimmer_dims_t *n = &model->dims;
    const uint32_t scheduled = (uint32_t)n->mode_count * n->position_count;
    uint32_t i;

    if (n->mode_count == 0u || n->mode_count > 255u || n->position_count == 0u ||
        !inside(&n->input, n->arena_size) || !inside(&n->output, n->arena_size) ||
        model->policy.tier_count > DIMMER_MAX_TIERS) {
        return 0;
    }
    for (i = 0; i < n->kernel_count; ++i) {
        if (model->kernels[i].run == NULL) {
            return 0;
        }
    }
    for (i = 0; i < n->step_count; ++i) {
        const dimmer_step_t *s = &model->steps[i];
        if (s->kernel >= n->kernel_count || s->record >= model->kernels[s->kernel].record_count) {
            return 0;
        }
    }
    for (i = 0; i < n->block_count; ++i) {
        const dimmer_block_t *b = &model->blocks[i];
        if (b->step_count > n->step_count || b->first_step > n->step_count - b->step_count) {
            return 0;
        }
    }
    for (i = 0; i < scheduled; ++i) {
        if (model->schedules[i] >= n->block_count) {
            return 0;
        }
    }
    for (i = 0; i < model->policy.tier_count; ++i) {
        if (!has_mode(model, model->policy.tiers[i].mode)) {
            return 0;
        }
    }
    return model->gates == NULL || model->gates->calls->hold(model);
}

dimmer_status_t dimmer_init(dimmer_t *d, const dimmer_model_t *model, void *arena, size_t arena_size) {
    const dimmer_policy_state_t fresh = {0u, 0u, 0u, {0u, 0u}};

    if (d == NULL || model == NULL || arena == NULL) {
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
    d->model = model;
    d->arena = (uint8_t *)arena;
    d->hook = NULL;
    d->user = NULL;
    d->policy_state = fresh;
    d->wanted = 0u;
    d->running = 0u;
    d->gating.level = 255u;
    d->gating.begun = 0u;
    return DIMMER_OK;
}

int8_t *dimmer_input(dimmer_t *d) {
    DIMMER_ASSERT(d != NULL && d->model != NULL);
    return (int8_t *)(d->arena + d->model->dims.input.offset);
}

const int8_t *dimmer_output(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL && d->model != NULL);
    return (const int8_t *)(d->arena + d->model->dims.output.offset);
}

dimmer_status_t dimmer_set_mode(dimmer_t *d, dimmer_mode_id_t mode) {
    DIMMER_ASSERT(d != NULL && d->model != NULL);
    if (mode >= d->model->dims.mode_count) {
        if (!has_mode(d->model, mode)) {
            return DIMMER_ERR_MODE;
        }
        d->wanted = DIMMER_MODE_GATED;
        return DIMMER_OK;
    }
    d->wanted = mode;
    return DIMMER_OK;
}

dimmer_mode_id_t dimmer_mode(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->wanted;
}

dimmer_mode_id_t dimmer_running_mode(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->running;
}

void dimmer_set_budget(dimmer_t *d, uint8_t level) {
    DIMMER_ASSERT(d != NULL);
    d->gating.level = level;
}

uint16_t dimmer_gated_blocks(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL && d->model != NULL);
    return d->model->dims.gate_count;
}

uint8_t dimmer_gated_bits(const dimmer_t *d, uint16_t block) {
    uint8_t choice;

    DIMMER_ASSERT(block < dimmer_gated_blocks(d));
    choice = d->gating.choice[block];
    return d->gating.begun && choice < DIMMER_GATE_OPTIONS ? d->model->gates->gates[block].options[choice]
                                                           : DIMMER_BITS_UNKNOWN;
}

dimmer_status_t dimmer_report_battery(dimmer_t *d, const dimmer_battery_t *now) {
    const dimmer_policy_t *policy;
    const dimmer_tier_t *tier;

    DIMMER_ASSERT(d != NULL && d->model != NULL);
    policy = &d->model->policy;
    if (now == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if (policy->tier_count == 0u) {
        return DIMMER_ERR_POLICY;
    }
    d->policy_state = dimmer_policy_next(policy, d->policy_state, now);
    tier = &policy->tiers[d->policy_state.tier];
    d->gating.level = tier->level;
    return dimmer_set_mode(d, tier->mode);
}

void dimmer_on_block(dimmer_t *d, dimmer_block_hook_t hook, void *user) {
    DIMMER_ASSERT(d != NULL);
    d->hook = hook;
    d->user = user;
}

dimmer_status_t dimmer_invoke(dimmer_t *d) {
    const dimmer_model_t *model;
    uint16_t positions;
    uint16_t position;

    DIMMER_ASSERT(d != NULL && d->model != NULL);
    model = d->model;
    positions = model->dims.position_count;
    d->gating.begun = 0u;
    for (position = 0; position < positions; ++position) {
        const dimmer_block_t *block;
        const dimmer_step_t *step;
        const dimmer_step_t *end;
        uint8_t mode;

        if (position != 0u && d->hook != NULL) {
            d->hook(d, position, d->user);
        }
        /* Read once: an interrupt may store another mode at any time. */
        mode = d->wanted;
        if (mode == DIMMER_MODE_GATED) {
            block = model->gates->calls->next(d, position);
        } else {
            d->running = mode;
            block = &model->blocks[model->schedules[(uint32_t)mode * positions + position]];
        }
        step = &model->steps[block->first_step];
        for (end = step + block->step_count; step != end; ++step) {
            const dimmer_kernel_t *kernel = &model->kernels[step->kernel];
            kernel->run(model, (const uint8_t *)kernel->records + (size_t)kernel->record_size * step->record,
                        d->arena);
        }
    }
    return DIMMER_OK;
}
