/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a model in flash and the state in RAM are whole: at once for dimmer_init, in slices for a watchdog.
 *
 * Nothing is read through a pointer, and no count is trusted, before its twin was compared. */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_gates.h"
#include "dimmer_governor.h"
#include "engine.h"
#include "shared_byte.h"
#include "dimmer_small_code.h"

/* A part of a few bytes takes as long as so many of a long one. */
#define PART_BYTES 16u

static int little_endian(void) {
    const uint16_t probe = 1u;

    return *(const uint8_t *)&probe == 1u;
}

/* Whether so many bytes, whole words, are the same: pointers and counts, which stand twice in flash. They are
 * looked at as words, which no compiler can hold against it: nobody ever writes them. */
static int twice(const void *first, const void *second, size_t size) {
    const uint32_t *a = (const uint32_t *)first;
    const uint32_t *b = (const uint32_t *)second;

    while (size != 0u && *a == *b) {
        ++a;
        ++b;
        size -= sizeof *a;
    }
    return size == 0u;
}

/* Of a table of pointers, the second half of which is the first once more. */
static int halves(const void *table, size_t size) {
    return twice(table, (const uint8_t *)table + size / 2u, size / 2u);
}

/* Everything by which the tables are found. */
static int found_safely(const dimmer_model_t *m) {
    const dimmer_gates_t *g = m->gates;

    return m->magic == DIMMER_MAGIC && m->abi == DIMMER_ABI &&
           twice(&m->name, &m->again, DIMMER_FOUND_SIZE) &&
           twice(m->kernels, m->kernels_again, m->dims.kernel_count * sizeof *m->kernels) &&
           (m->dims.gate_count != 0u) == (g != NULL) &&
           (g == NULL || (halves(g, offsetof(dimmer_gates_t, cell)) && halves(g->calls, sizeof *g->calls)));
}

/* The number-th run of bytes of a model that is found safely; null where there is none, or its pointers are
 * damaged, which `size` tells. */
static const void *part_of(const dimmer_model_t *m, uint32_t number, uint32_t *size) {
    const dimmer_dims_t *n = &m->dims;
    const uint32_t sizes[] = {n->names_size,
                              n->weights_size,
                              n->param_count * 4u,
                              n->shift_count,
                              n->step_count * 4u,
                              n->block_count * 4u,
                              (uint32_t)n->mode_count * n->position_count * 2u};

    *size = 0u;
    if (number < sizeof sizes / sizeof *sizes) {
        const void *data;

        memcpy(&data, (const uint8_t *)&m->name + number * sizeof data, sizeof data);
        *size = sizes[number];
        return data;
    }
    number -= (uint32_t)(sizeof sizes / sizeof *sizes);
    if (number < n->kernel_count) {
        *size = (uint32_t)m->kernels[number].record_size * m->kernels[number].record_count;
        return m->kernels[number].records;
    }
    number -= n->kernel_count;
    if (number < n->mode_count) {
        /* Nothing is read but the names' pointers, and these by people alone. */
        *size = !twice(&m->modes[number], &m->modes_again[number], sizeof *m->modes);
        return *size == 0u ? &m->modes[number] : NULL;
    }
    number -= n->mode_count;
    if (number == 0u) {
        *size = sizeof m->policy;
        return &m->policy;
    }
    if (m->plan != NULL && --number == 0u) {
        *size = sizeof *m->plan;
        return m->plan;
    }
    return m->gates != NULL ? m->gates->calls->part(m, number - 1u, size) : NULL;
}

/* Goes on for about so many bytes; DIMMER_ERR_CRC where something is damaged. */
static dimmer_status_t go_on(const dimmer_model_t *m, dimmer_checking_t *c, uint32_t bytes) {
    for (;;) {
        uint32_t size;
        const uint8_t *data = (const uint8_t *)part_of(m, c->part, &size);

        if (data == NULL) {
            if (size != 0u || c->crc != m->crc) {
                return DIMMER_ERR_CRC;
            }
            c->part = 0u;
            ++c->passes;
            return DIMMER_OK;
        }
        if (c->offset > size) {
            return DIMMER_ERR_CRC;
        }
        size -= c->offset;
        data += c->offset;
        if (size > bytes) {
            size = bytes;
            c->offset += size;
        } else {
            c->offset = 0u;
            ++c->part;
        }
        c->crc = dimmer_crc32(c->crc, data, size);
        if (size < PART_BYTES) {
            size = PART_BYTES;
        }
        if (bytes <= size) {
            return DIMMER_OK;
        }
        bytes -= size;
    }
}

static int inside(const dimmer_tensor_t *tensor, uint32_t arena_size) {
    return tensor->size <= arena_size && tensor->offset <= arena_size - tensor->size;
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

dimmer_status_t dimmer_check_model(const dimmer_model_t *model, const void *arena, size_t arena_size) {
    dimmer_checking_t whole = {0u, 0u, 0u, 0u};

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
    whole.crc = model->dims_crc;
    if (!found_safely(model) || dimmer_crc32(0u, &model->dims, sizeof model->dims) != model->dims_crc ||
        go_on(model, &whole, UINT32_MAX) != DIMMER_OK) {
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

dimmer_status_t dimmer_drop(dimmer_t *d, dimmer_status_t why) {
    d->model = NULL;
    d->mode_count = 0u;
    d->gated = 0u;
    d->hook = NULL;
    d->gating.begun = 0u;
    /* Damaged it stays, so that dimmer_next tells who goes by a governor to stop. */
    d->seal = ~dimmer_seal(d);
    return why;
}

uintptr_t dimmer_seal(const dimmer_t *d) {
    const uint8_t *word = (const uint8_t *)d;
    uintptr_t seal = (uintptr_t)d->mode_count << 16 | (uintptr_t)d->safe_mode << 8 | d->gated;

    /* The pointers, which stand in front of it. */
    while (word != (const uint8_t *)&d->seal) {
        uintptr_t pointer;

        memcpy(&pointer, word, sizeof pointer);
        word += sizeof pointer;
        seal = (seal << 5 | seal >> (8u * sizeof seal - 5u)) ^ pointer;
    }
    return seal;
}

dimmer_status_t dimmer_whole(dimmer_t *d) {
    if (d->model == NULL) {
        return DIMMER_ERR_INIT;
    }
    if (d->seal != dimmer_seal(d)) {
        return dimmer_drop(d, DIMMER_ERR_STATE);
    }
    return DIMMER_OK;
}

dimmer_status_t dimmer_sound(dimmer_t *d) {
    const dimmer_status_t status = dimmer_whole(d);

    if (status == DIMMER_OK && !found_safely(d->model)) {
        return dimmer_drop(d, DIMMER_ERR_CRC);
    }
    return status;
}

const dimmer_block_t *dimmer_next_block(dimmer_t *d, uint32_t position) {
    const dimmer_model_t *m = d->model;
    const dimmer_dims_t *n = &m->dims;
    const dimmer_block_t *block = NULL;
    /* Read once: an interrupt or a thread may store another mode at any time. */
    uint8_t mode = DIMMER_LOAD(d->wanted);

    if (DIMMER_LOAD(d->browned_out) != 0u) {
        mode = d->safe_mode;
    }
    if (mode < n->mode_count) {
        const uint32_t index = m->schedules[(uint32_t)mode * n->position_count + position];

        DIMMER_STORE(d->running, mode);
        if (index < n->block_count) {
            block = &m->blocks[index];
        }
    } else if (mode == DIMMER_MODE_GATED && m->gates != NULL) {
        block = m->gates->calls->next(d, (uint16_t)position);
    }
    if (block != NULL &&
        (block->step_count > n->step_count || block->first_step > n->step_count - block->step_count)) {
        block = NULL;
    }
    return block;
}

dimmer_status_t dimmer_check(dimmer_t *d, uint32_t bytes) {
    dimmer_status_t status;

    DIMMER_ASSERT(d != NULL);
    status = dimmer_sound(d);
    if (status == DIMMER_OK) {
        if (d->checking.part == 0u && d->checking.offset == 0u) {
            d->checking.crc = d->model->dims_crc;
        }
        status = go_on(d->model, &d->checking, bytes);
        if (status != DIMMER_OK) {
            return dimmer_drop(d, status);
        }
    }
    return status;
}

uint32_t dimmer_checked(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->checking.passes;
}
