/* SPDX-License-Identifier: Apache-2.0 */
/* A model of two modes and three positions whose kernel appends a byte to a log in the arena: mode 0 runs
 * steps a, b, c; mode 1 skips the second position. */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "dimmer_gates.h"
#include "dimmer_governor.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%d: %s\n", __LINE__, #condition);                                                        \
            failures = 1;                                                                                    \
        }                                                                                                    \
    } while (0)

static int failures;

/* What engine_battery_test.c finds, for the program of engine_test.c. */
int battery_failures(void);

typedef struct {
    uint32_t log;
    uint32_t letter;
} append_t;

/* arena[log] counts the letters behind it. */
static void append(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const append_t *r = (const append_t *)record;

    (void)model;
    arena[r->log + 1u + arena[r->log]] = (uint8_t)r->letter;
    ++arena[r->log];
}

typedef struct {
    int8_t weights[8];
    int32_t params[4];
    int8_t shifts[4];
    append_t records[4];
    dimmer_kernel_t kernels[1];
    dimmer_step_t steps[4];
    dimmer_block_t blocks[4];
    uint16_t schedules[6];
    dimmer_mode_t modes[2];
    dimmer_kernel_t kernels_again[1];
    dimmer_mode_t modes_again[2];
    char names[9]; /* "test", "8", "0" */
    dimmer_gate_stage_t gate_stages[1];
    dimmer_gate_t gate_blocks[1];
    uint16_t gate_choices[8];
    dimmer_gates_t gates;
    dimmer_plan_t plan;
    dimmer_model_t model;
} fixture_t;

static const append_t letters[4] = {{16, 'a'}, {16, 'b'}, {16, 'c'}, {16, 'C'}};

static void seal(fixture_t *f) {
    const dimmer_dims_t *n = &f->model.dims;
    uint32_t crc;

    f->model.dims_crc = dimmer_crc32(0, n, sizeof *n);
    crc = dimmer_crc32(0, n, sizeof *n);
    crc = dimmer_crc32(crc, f->names, sizeof f->names);
    crc = dimmer_crc32(crc, f->weights, sizeof f->weights);
    crc = dimmer_crc32(crc, f->params, sizeof f->params);
    crc = dimmer_crc32(crc, f->shifts, sizeof f->shifts);
    crc = dimmer_crc32(crc, f->steps, sizeof f->steps);
    crc = dimmer_crc32(crc, f->blocks, sizeof f->blocks);
    crc = dimmer_crc32(crc, f->schedules, sizeof f->schedules);
    crc = dimmer_crc32(crc, f->records, sizeof f->records);
    crc = dimmer_crc32(crc, &f->model.policy, sizeof f->model.policy);
    if (f->model.plan != NULL) {
        crc = dimmer_crc32(crc, &f->plan, sizeof f->plan);
    }
    if (f->model.gates != NULL) {
        crc = dimmer_crc32(crc, &f->gates.cell, sizeof f->gates.cell);
        crc = dimmer_crc32(crc, f->gate_stages, sizeof f->gate_stages);
        crc = dimmer_crc32(crc, f->gates.gates, n->gate_count * sizeof f->gate_blocks[0]);
        crc = dimmer_crc32(crc, f->gates.blocks, n->gate_count * sizeof f->gate_choices);
    }
    f->model.crc = crc;
    f->kernels_again[0] = f->kernels[0];
    memcpy(f->modes_again, f->modes, sizeof f->modes);
    f->model.kernels_again = f->kernels_again;
    f->model.modes_again = f->modes_again;
    f->gates.calls_again = f->gates.calls;
    f->gates.stages_again = f->gates.stages;
    f->gates.gates_again = f->gates.gates;
    f->gates.blocks_again = f->gates.blocks;
    memcpy(&f->model.again, &f->model.name, DIMMER_FOUND_SIZE);
}

static void make(fixture_t *f) {
    static const dimmer_step_t steps[4] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}};
    static const dimmer_block_t blocks[4] = {{0, 1}, {1, 2}, {0, 0}, {3, 1}};
    static const uint16_t schedules[6] = {0, 1, 3, 0, 2, 3};
    dimmer_dims_t *n = &f->model.dims;

    memset(f, 0, sizeof *f);
    memcpy(f->records, letters, sizeof letters);
    memcpy(f->steps, steps, sizeof steps);
    memcpy(f->blocks, blocks, sizeof blocks);
    memcpy(f->schedules, schedules, sizeof schedules);
    f->weights[0] = 1;
    f->params[1] = -7;
    f->kernels[0].run = append;
    f->kernels[0].records = f->records;
    f->kernels[0].record_size = sizeof f->records[0];
    f->kernels[0].record_count = 4;
    memcpy(f->names, "test\0008\0000", sizeof f->names);
    f->modes[0].name = f->names + 5;
    f->modes[1].name = f->names + 7;
    f->model.magic = DIMMER_MAGIC;
    f->model.abi = DIMMER_ABI;
    f->model.name = f->names;
    n->arena_size = 64;
    n->weights_size = sizeof f->weights;
    n->param_count = 4;
    n->shift_count = sizeof f->shifts;
    n->record_bytes = sizeof f->records;
    n->names_size = sizeof f->names;
    n->kernel_count = 1;
    n->step_count = 4;
    n->block_count = 4;
    n->mode_count = 2;
    n->position_count = 3;
    n->input.offset = 16;
    n->input.size = 1;
    n->output.offset = 17;
    n->output.size = 8;
    f->model.weights = f->weights;
    f->model.params = f->params;
    f->model.shifts = f->shifts;
    f->model.kernels = f->kernels;
    f->model.steps = f->steps;
    f->model.blocks = f->blocks;
    f->model.schedules = f->schedules;
    f->model.modes = f->modes;
    f->model.policy.tier_count = 2;
    f->model.policy.tiers[0].min_charge_permille = 500;
    f->model.policy.tiers[1].mode = 1;
    f->model.policy.safe_mode = 1;
    seal(f);
}

static union {
    uint8_t bytes[80];
    uint64_t alignment;
} memory;

static uint8_t *arena(void) {
    return memory.bytes +
           (DIMMER_ARENA_ALIGN - (uintptr_t)memory.bytes % DIMMER_ARENA_ALIGN) % DIMMER_ARENA_ALIGN;
}

static inline dimmer_status_t init(const fixture_t *f) {
    dimmer_t d;

    return dimmer_init(&d, &f->model, arena(), 64);
}

static inline int ran(dimmer_t *d, const char *expected) {
    const int8_t *output = dimmer_output(d);

    *dimmer_input(d) = 0;
    return dimmer_invoke(d) == DIMMER_OK && memcmp(output, expected, strlen(expected)) == 0 &&
           *dimmer_input(d) == (int8_t)strlen(expected);
}

/* Gates for the second position, which choose by the level alone: from 8 bits, steps b and c, and 0. */
static inline void make_gated(fixture_t *f) {
    static const int8_t weights[6] = {0, 1, 1, 0, 1, -1};
    static const dimmer_gate_stage_t stage = {16, 1 << 30, 1, 1, 0, 1, 1, 0};
    static const dimmer_gate_t gate = {0, 0, 4, 2, 3, 2, 1, 0, {8, 0, 0, 0}};
    static const uint16_t choices[8] = {1, 2, 1, 1, 1, 2, 1, 1};
    static const dimmer_gate_cell_t cell = {2, 3, 1, 1, 1, 1, 2, {0, 0, 0}};

    make(f);
    memcpy(f->weights, weights, sizeof weights);
    f->params[0] = 0;
    f->params[1] = -100;
    f->gate_stages[0] = stage;
    f->gate_blocks[0] = gate;
    memcpy(f->gate_choices, choices, sizeof choices);
    f->gates.calls = &dimmer_gate_calls;
    f->gates.cell = cell;
    f->gates.stages = f->gate_stages;
    f->gates.gates = f->gate_blocks;
    f->gates.blocks = f->gate_choices;
    f->model.gates = &f->gates;
    f->model.dims.gate_count = 1;
    f->model.dims.gate_stages = 1;
    seal(f);
}

/* A flip anywhere in the range is noticed before anything is read through it. */
static inline void every_flip_is_noticed(fixture_t *f, void *start, size_t size, const char *what) {
    uint8_t *bytes = (uint8_t *)start;
    size_t i;

    for (i = 0; i < size; ++i) {
        int bit;

        for (bit = 0; bit < 8; ++bit) {
            bytes[i] ^= (uint8_t)(1u << bit);
            if (init(f) != DIMMER_ERR_CRC) {
                printf("%s: a flip of byte %lu, bit %d was not noticed\n", what, (unsigned long)i, bit);
                failures = 1;
            }
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
}

#endif
