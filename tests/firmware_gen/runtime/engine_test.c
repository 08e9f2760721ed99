/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a model of two modes and three positions whose kernel appends a byte to a log in the arena:
 * mode 0 runs steps a, b, c; mode 1 skips the second position. */
#include <stdio.h>
#include <string.h>

#include "dimmer_gates.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%d: %s\n", __LINE__, #condition);                                                        \
            failures = 1;                                                                                    \
        }                                                                                                    \
    } while (0)

static int failures;

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
    dimmer_gate_stage_t gate_stages[1];
    dimmer_gate_t gate_blocks[1];
    uint16_t gate_choices[8];
    dimmer_gates_t gates;
    dimmer_model_t model;
} fixture_t;

static const append_t letters[4] = {{16, 'a'}, {16, 'b'}, {16, 'c'}, {16, 'C'}};

static void seal(fixture_t *f) {
    const dimmer_dims_t *n = &f->model.dims;
    uint32_t crc;

    f->model.dims_crc = dimmer_crc32(0, n, sizeof *n);
    crc = dimmer_crc32(0, n, sizeof *n);
    crc = dimmer_crc32(crc, f->weights, sizeof f->weights);
    crc = dimmer_crc32(crc, f->params, sizeof f->params);
    crc = dimmer_crc32(crc, f->shifts, sizeof f->shifts);
    crc = dimmer_crc32(crc, f->records, sizeof f->records);
    crc = dimmer_crc32(crc, f->steps, sizeof f->steps);
    crc = dimmer_crc32(crc, f->blocks, sizeof f->blocks);
    crc = dimmer_crc32(crc, f->schedules, sizeof f->schedules);
    crc = dimmer_crc32(crc, &f->model.policy, sizeof f->model.policy);
    if (f->model.gates != NULL) {
        crc = dimmer_crc32(crc, &f->gates.cell, sizeof f->gates.cell);
        crc = dimmer_crc32(crc, f->gate_stages, sizeof f->gate_stages);
        crc = dimmer_crc32(crc, f->gates.gates, n->gate_count * sizeof f->gate_blocks[0]);
        crc = dimmer_crc32(crc, f->gates.blocks, n->gate_count * sizeof f->gate_choices);
    }
    f->model.crc = crc;
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
    f->modes[0].name = "8";
    f->modes[1].name = "0";
    f->model.magic = DIMMER_MAGIC;
    f->model.abi = DIMMER_ABI;
    f->model.name = "test";
    n->arena_size = 64;
    n->weights_size = sizeof f->weights;
    n->param_count = 4;
    n->shift_count = sizeof f->shifts;
    n->record_bytes = sizeof f->records;
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
    seal(f);
}

/* Gates for the second position, which choose by the level alone: from 8 bits, steps b and c, and 0. */
static void make_gated(fixture_t *f) {
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

static union {
    uint8_t bytes[80];
    uint64_t alignment;
} memory;

static uint8_t *arena(void) {
    return memory.bytes +
           (DIMMER_ARENA_ALIGN - (uintptr_t)memory.bytes % DIMMER_ARENA_ALIGN) % DIMMER_ARENA_ALIGN;
}

static dimmer_status_t init(const fixture_t *f) {
    dimmer_t d;

    return dimmer_init(&d, &f->model, arena(), 64);
}

static int ran(dimmer_t *d, const char *expected) {
    const int8_t *output = dimmer_output(d);

    *dimmer_input(d) = 0;
    return dimmer_invoke(d) == DIMMER_OK && memcmp(output, expected, strlen(expected)) == 0 &&
           *dimmer_input(d) == (int8_t)strlen(expected);
}

static void init_refuses_what_is_wrong(void) {
    fixture_t f;
    dimmer_t d;

    make(&f);
    CHECK(init(&f) == DIMMER_OK);
    CHECK(dimmer_init(NULL, &f.model, arena(), 64) == DIMMER_ERR_ARGUMENT);
    CHECK(dimmer_init(&d, NULL, arena(), 64) == DIMMER_ERR_ARGUMENT);
    CHECK(dimmer_init(&d, &f.model, NULL, 64) == DIMMER_ERR_ARGUMENT);
    CHECK(dimmer_init(&d, &f.model, arena(), 63) == DIMMER_ERR_ARENA_SIZE);
    CHECK(dimmer_init(&d, &f.model, arena() + 8, 64) == DIMMER_ERR_ARENA_ALIGN);
    f.model.magic ^= 1u;
    CHECK(init(&f) == DIMMER_ERR_MAGIC);
    make(&f);
    f.model.abi = DIMMER_ABI + 1;
    CHECK(init(&f) == DIMMER_ERR_ABI);
}

static void nothing_runs(dimmer_t *d) {
    static const dimmer_battery_t now = {0, 0, 1000, 4000};

    CHECK(dimmer_invoke(d) == DIMMER_ERR_INIT);
    CHECK(dimmer_set_mode(d, 0) == DIMMER_ERR_INIT);
    CHECK(dimmer_set_mode(d, DIMMER_MODE_GATED) == DIMMER_ERR_INIT);
    CHECK(dimmer_report_battery(d, &now) == DIMMER_ERR_INIT);
    CHECK(dimmer_input(d) == NULL);
    CHECK(dimmer_output(d) == NULL);
    CHECK(dimmer_gated_blocks(d) == 0);
    CHECK(dimmer_gated_bits(d, 0) == DIMMER_BITS_UNKNOWN);
    dimmer_set_budget(d, 0);
    dimmer_on_block(d, NULL, NULL);
}

static void without_a_model_nothing_runs(void) {
    static dimmer_t absent;
    fixture_t f;
    dimmer_t d;

    CHECK(dimmer_mode(&absent) == 0);
    CHECK(dimmer_running_mode(&absent) == 0);
    nothing_runs(&absent);
    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_invoke(&d) == DIMMER_OK);
    CHECK(dimmer_init(&d, &f.model, arena(), 63) == DIMMER_ERR_ARENA_SIZE);
    nothing_runs(&d);
    f.model.magic ^= 1u;
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_ERR_MAGIC);
    nothing_runs(&d);
    CHECK(dimmer_init(&d, NULL, arena(), 64) == DIMMER_ERR_ARGUMENT);
    nothing_runs(&d);
    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_invoke(&d) == DIMMER_OK);
}

/* A flip anywhere in the range is noticed before anything is read through it. */
static void every_flip_is_noticed(fixture_t *f, void *start, size_t size, const char *what) {
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

static void init_notices_every_flip(void) {
    fixture_t f;

    make(&f);
    every_flip_is_noticed(&f, &f.model.dims, sizeof f.model.dims, "dims");
    every_flip_is_noticed(&f, f.weights, sizeof f.weights, "weights");
    every_flip_is_noticed(&f, f.params, sizeof f.params, "params");
    every_flip_is_noticed(&f, f.shifts, sizeof f.shifts, "shifts");
    every_flip_is_noticed(&f, f.records, sizeof f.records, "records");
    every_flip_is_noticed(&f, &f.kernels[0].record_size, 2, "record_size");
    every_flip_is_noticed(&f, &f.kernels[0].record_count, 2, "record_count");
    every_flip_is_noticed(&f, f.steps, sizeof f.steps, "steps");
    every_flip_is_noticed(&f, f.blocks, sizeof f.blocks, "blocks");
    every_flip_is_noticed(&f, f.schedules, sizeof f.schedules, "schedules");
    every_flip_is_noticed(&f, &f.model.policy, sizeof f.model.policy, "policy");
    every_flip_is_noticed(&f, &f.model.crc, sizeof f.model.crc, "crc");
    every_flip_is_noticed(&f, &f.model.dims_crc, sizeof f.model.dims_crc, "dims_crc");
}

#define REFUSED(change)                                                                                      \
    do {                                                                                                     \
        make(&f);                                                                                            \
        change;                                                                                              \
        seal(&f);                                                                                            \
        CHECK(init(&f) == DIMMER_ERR_TABLE);                                                                 \
    } while (0)

static void init_refuses_indexes_that_point_outside(void) {
    fixture_t f;

    REFUSED(f.steps[3].kernel = 1);
    REFUSED(f.steps[3].record = 4);
    REFUSED(f.blocks[3].step_count = 2);
    REFUSED(f.blocks[3].first_step = 4);
    REFUSED(f.blocks[0].step_count = 65535);
    REFUSED(f.schedules[5] = 4);
    REFUSED(f.kernels[0].run = NULL);
    REFUSED(f.model.policy.tiers[1].mode = 2);
    REFUSED(f.model.policy.tier_count = DIMMER_MAX_TIERS + 1);
    REFUSED(f.model.dims.input.offset = 64);
    REFUSED(f.model.dims.output.size = 48);
    REFUSED(f.model.dims.output.offset = UINT32_MAX);
}

static void a_mode_runs_its_own_blocks(void) {
    fixture_t f;
    dimmer_t d;

    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 0);
    CHECK(ran(&d, "abcC"));
    CHECK(dimmer_set_mode(&d, 1) == DIMMER_OK);
    CHECK(ran(&d, "aC"));
    CHECK(dimmer_running_mode(&d) == 1);
    CHECK(dimmer_set_mode(&d, 2) == DIMMER_ERR_MODE);
    CHECK(dimmer_set_mode(&d, 255) == DIMMER_ERR_MODE);
    CHECK(dimmer_mode(&d) == 1);
    CHECK(ran(&d, "aC"));
}

typedef struct {
    uint16_t position;
    uint8_t mode;
    unsigned calls;
} switch_t;

static void switch_there(dimmer_t *d, uint16_t position, void *user) {
    switch_t *s = (switch_t *)user;

    ++s->calls;
    if (position == s->position) {
        CHECK(dimmer_set_mode(d, s->mode) == DIMMER_OK);
    }
}

static void a_switch_in_the_hook_holds_from_the_next_position_on(void) {
    fixture_t f;
    dimmer_t d;
    switch_t s = {1, 1, 0};

    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    dimmer_on_block(&d, switch_there, &s);
    CHECK(ran(&d, "aC"));
    CHECK(s.calls == 2);
    s.position = 2;
    CHECK(dimmer_set_mode(&d, 0) == DIMMER_OK);
    CHECK(ran(&d, "abcC"));
    CHECK(dimmer_running_mode(&d) == 1);
    dimmer_on_block(&d, NULL, NULL);
    CHECK(ran(&d, "aC"));
    CHECK(s.calls == 4);
}

static void the_battery_chooses_the_mode(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_battery_t now = {0, 0, 400, 3300};

    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, NULL) == DIMMER_ERR_ARGUMENT);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 1);
    now.charge_permille = 900;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 0);
    f.model.policy.tier_count = 0;
    seal(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_ERR_POLICY);
}

static void gates_choose_by_the_budget(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_battery_t now = {0, 0, 900, 3300};

    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_gated_blocks(&d) == 0);
    CHECK(dimmer_set_mode(&d, DIMMER_MODE_GATED) == DIMMER_ERR_MODE);
    make_gated(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_gated_blocks(&d) == 1);
    CHECK(dimmer_gated_bits(&d, 0) == DIMMER_BITS_UNKNOWN);
    CHECK(dimmer_set_mode(&d, DIMMER_MODE_GATED) == DIMMER_OK);
    CHECK(ran(&d, "abcC"));
    CHECK(dimmer_gated_bits(&d, 0) == 8);
    CHECK(dimmer_gated_bits(&d, 1) == DIMMER_BITS_UNKNOWN);
    CHECK(dimmer_gated_bits(&d, 200) == DIMMER_BITS_UNKNOWN);
    CHECK(dimmer_gated_bits(&d, UINT16_MAX) == DIMMER_BITS_UNKNOWN);
    CHECK(dimmer_running_mode(&d) == DIMMER_MODE_GATED);
    dimmer_set_budget(&d, 0);
    CHECK(ran(&d, "aC"));
    CHECK(dimmer_gated_bits(&d, 0) == 0);
    CHECK(dimmer_set_mode(&d, 0) == DIMMER_OK);
    CHECK(ran(&d, "abcC"));
    CHECK(dimmer_gated_bits(&d, 0) == DIMMER_BITS_UNKNOWN);
    f.model.policy.tiers[0].mode = DIMMER_MODE_GATED;
    f.model.policy.tiers[0].level = 0;
    seal(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == DIMMER_MODE_GATED);
    CHECK(ran(&d, "aC"));
}

static void a_switch_to_gated_holds_from_the_next_stage_on(void) {
    static const uint16_t choices[16] = {1, 2, 1, 1, 1, 2, 1, 1, 3, 2, 3, 3, 3, 2, 3, 3};
    static uint16_t two[16];
    static dimmer_gate_t gates[2];
    fixture_t f;
    dimmer_t d;
    switch_t s = {2, DIMMER_MODE_GATED, 0};

    /* One stage of two blocks: the second and the last position. */
    make_gated(&f);
    memcpy(two, choices, sizeof choices);
    gates[0] = gates[1] = f.gate_blocks[0];
    f.gates.gates = gates;
    f.gates.blocks = two;
    f.gate_stages[0].gate_count = 2;
    f.model.dims.gate_count = 2;
    seal(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    dimmer_set_budget(&d, 0);
    CHECK(dimmer_set_mode(&d, DIMMER_MODE_GATED) == DIMMER_OK);
    CHECK(ran(&d, "a"));
    dimmer_on_block(&d, switch_there, &s);
    CHECK(dimmer_set_mode(&d, 1) == DIMMER_OK);
    CHECK(ran(&d, "aC"));
    CHECK(dimmer_running_mode(&d) == 1);
    CHECK(dimmer_gated_bits(&d, 1) == DIMMER_BITS_UNKNOWN);
    s.mode = 0;
    CHECK(dimmer_set_mode(&d, DIMMER_MODE_GATED) == DIMMER_OK);
    CHECK(ran(&d, "aC"));
    CHECK(dimmer_gated_bits(&d, 0) == 0);
    CHECK(dimmer_gated_bits(&d, 1) == DIMMER_BITS_UNKNOWN);
}

#define GATES_REFUSED(change)                                                                                \
    do {                                                                                                     \
        make_gated(&f);                                                                                      \
        change;                                                                                              \
        seal(&f);                                                                                            \
        CHECK(init(&f) == DIMMER_ERR_TABLE);                                                                 \
    } while (0)

static void init_refuses_gates_that_are_wrong(void) {
    fixture_t f;

    make_gated(&f);
    CHECK(init(&f) == DIMMER_OK);
    every_flip_is_noticed(&f, &f.gates.cell, sizeof f.gates.cell, "cell");
    every_flip_is_noticed(&f, f.gate_stages, sizeof f.gate_stages, "gate stages");
    every_flip_is_noticed(&f, f.gate_blocks, sizeof f.gate_blocks, "gates");
    every_flip_is_noticed(&f, f.gate_choices, sizeof f.gate_choices, "gate choices");
    f.model.gates = NULL;
    CHECK(init(&f) == DIMMER_ERR_CRC);
    GATES_REFUSED(f.gate_choices[7] = 4);
    GATES_REFUSED(f.gates.cell.features = 0);
    GATES_REFUSED(f.gates.cell.hidden = DIMMER_GATE_UNITS + 1);
    GATES_REFUSED(f.gates.cell.shift = 32);
    GATES_REFUSED(f.gates.cell.first_position = 3);
    GATES_REFUSED(f.gate_stages[0].input = 64);
    GATES_REFUSED(f.gate_stages[0].channels = DIMMER_GATE_CHANNELS + 1);
    GATES_REFUSED(f.gate_stages[0].gate_count = 2);
    GATES_REFUSED(f.gate_stages[0].first_gate = 1);
    GATES_REFUSED(f.gate_blocks[0].option_count = 5);
    GATES_REFUSED(f.gate_blocks[0].option_count = 0);
    GATES_REFUSED(f.gate_blocks[0].entry_shift = 0);
}

static void every_status_has_a_text(void) {
    int status;

    for (status = DIMMER_OK; status >= DIMMER_ERR_INIT; --status) {
        CHECK(strcmp(dimmer_status_text((dimmer_status_t)status), "unknown status") != 0);
    }
}

int main(void) {
    init_refuses_what_is_wrong();
    without_a_model_nothing_runs();
    init_notices_every_flip();
    init_refuses_indexes_that_point_outside();
    a_mode_runs_its_own_blocks();
    a_switch_in_the_hook_holds_from_the_next_position_on();
    the_battery_chooses_the_mode();
    gates_choose_by_the_budget();
    a_switch_to_gated_holds_from_the_next_stage_on();
    init_refuses_gates_that_are_wrong();
    every_status_has_a_text();
    return failures;
}
