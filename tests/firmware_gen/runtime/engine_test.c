/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on the model of engine_fixture.h. */
#include "engine_fixture.h"

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
    static const dimmer_battery_t now = {0, 0, 1000, 4000, 0, 0, 0};

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
    every_flip_is_noticed(&f, f.names, sizeof f.names, "names");
    every_flip_is_noticed(&f, &f.modes[1].name, sizeof f.modes[1].name, "the name of a mode");
    every_flip_is_noticed(&f, &f.modes[0].macs, sizeof f.modes[0].macs, "macs");
    every_flip_is_noticed(&f, &f.model.name, DIMMER_FOUND_SIZE, "pointers");
    every_flip_is_noticed(&f, &f.model.again, DIMMER_FOUND_SIZE, "pointers and counts once more");
    every_flip_is_noticed(&f, &f.kernels[0].run, sizeof f.kernels[0].run, "the code of a kernel");
    every_flip_is_noticed(&f, &f.kernels_again[0].records, sizeof f.kernels[0].records, "records once more");
}

/* Found by slices, after which nothing runs; `bytes` at a time. */
static int found_in_slices(fixture_t *f, dimmer_t *d, uint32_t bytes) {
    uint32_t slices;

    (void)f;
    for (slices = 0; slices < 2000u && dimmer_checked(d) == 1u; ++slices) {
        const dimmer_status_t status = dimmer_check(d, bytes);

        if (status != DIMMER_OK) {
            return status == DIMMER_ERR_CRC && dimmer_invoke(d) == DIMMER_ERR_INIT && dimmer_input(d) == NULL;
        }
    }
    return 0;
}

static void slices_find_what_init_finds(void) {
    static const struct {
        size_t offset, size;
    } places[] = {
        {offsetof(fixture_t, weights), sizeof((fixture_t *)0)->weights},
        {offsetof(fixture_t, params), sizeof((fixture_t *)0)->params},
        {offsetof(fixture_t, records), sizeof((fixture_t *)0)->records},
        {offsetof(fixture_t, kernels), offsetof(dimmer_kernel_t, record_count) + 2u},
        {offsetof(fixture_t, schedules), sizeof((fixture_t *)0)->schedules},
        {offsetof(fixture_t, names), sizeof((fixture_t *)0)->names},
        {offsetof(fixture_t, gate_choices), sizeof((fixture_t *)0)->gate_choices},
        {offsetof(fixture_t, gates), offsetof(dimmer_gates_t, cell) + sizeof(dimmer_gate_cell_t)},
        {offsetof(fixture_t, model), offsetof(dimmer_model_t, policy) + sizeof(dimmer_policy_t)},
        {offsetof(fixture_t, model) + offsetof(dimmer_model_t, again), DIMMER_FOUND_SIZE},
    };
    static const uint32_t sizes[] = {1, 7, 64, 100000};
    size_t place;
    size_t k;

    for (k = 0; k < sizeof sizes / sizeof *sizes; ++k) {
        fixture_t f;
        dimmer_t d;

        make_gated(&f);
        CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
        while (dimmer_checked(&d) < 3u) {
            CHECK(dimmer_check(&d, sizes[k]) == DIMMER_OK);
        }
        CHECK(ran(&d, "abcC"));
        for (place = 0; place < sizeof places / sizeof *places; ++place) {
            size_t bit;

            for (bit = k; bit < 8u * places[place].size; bit += 3u) {
                uint8_t *byte = (uint8_t *)&f + places[place].offset + bit / 8u;

                CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
                while (dimmer_checked(&d) == 0u) {
                    CHECK(dimmer_check(&d, 4096) == DIMMER_OK);
                }
                *byte ^= (uint8_t)(1u << bit % 8u);
                if (!found_in_slices(&f, &d, sizes[k])) {
                    printf("part %u: bit %u was not noticed\n", (unsigned)place, (unsigned)bit);
                    failures = 1;
                }
                *byte ^= (uint8_t)(1u << bit % 8u);
            }
        }
    }
}

/* A flip in the state in RAM is an error or harmless, and never followed. */
static void a_damaged_state_is_an_error(void) {
    static const size_t fields[] = {offsetof(dimmer_t, model),
                                    offsetof(dimmer_t, arena),
                                    offsetof(dimmer_t, hook),
                                    offsetof(dimmer_t, user),
                                    offsetof(dimmer_t, policy),
                                    offsetof(dimmer_t, governor),
                                    offsetof(dimmer_t, governor_report),
                                    offsetof(dimmer_t, seal)};
    static const dimmer_battery_t now = {0, 0, 1000, 4000, 0, 0, 0};
    fixture_t f;
    dimmer_t d;
    size_t i;

    make_gated(&f);
    for (i = 0; i < sizeof fields / sizeof *fields; ++i) {
        size_t bit;

        for (bit = 0; bit < 8u * sizeof(void *); ++bit) {
            uint8_t *byte;

            CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
            byte = (uint8_t *)&d + fields[i] + bit / 8u;
            *byte ^= (uint8_t)(1u << bit % 8u);
            dimmer_on_block(&d, NULL, NULL);
            CHECK(dimmer_output(&d) == NULL || fields[i] == offsetof(dimmer_t, hook));
            CHECK(dimmer_invoke(&d) == DIMMER_ERR_STATE || fields[i] == offsetof(dimmer_t, hook));
            nothing_runs(&d);
            CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
            *byte ^= (uint8_t)(1u << bit % 8u);
            CHECK(dimmer_report_battery(&d, &now) == DIMMER_ERR_STATE);
            CHECK(dimmer_check(&d, 64) == DIMMER_ERR_INIT);
        }
    }
    for (i = 0; i < 8u * sizeof d; ++i) {
        uint8_t *byte = (uint8_t *)&d + i / 8u;

        CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
        CHECK(dimmer_set_mode(&d, i % 2u != 0u ? DIMMER_MODE_GATED : 0) == DIMMER_OK);
        CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
        *byte ^= (uint8_t)(1u << i % 8u);
        if (dimmer_input(&d) != NULL) {
            *dimmer_input(&d) = 0;
        }
        (void)dimmer_report_battery(&d, &now);
        (void)dimmer_invoke(&d);
        (void)dimmer_gated_bits(&d, 0);
        (void)dimmer_check(&d, 64);
        (void)dimmer_invoke(&d);
    }
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
    REFUSED(f.model.policy.safe_mode = 2);
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

/* An application that sleeps between two blocks, until its cell has recovered. */
typedef struct {
    uint16_t millivolts; /* of the cell, which sags by 300 in each block and gains 100 in each sleep */
    uint32_t slept;
} resting_t;

static void rest_there(dimmer_t *d, uint16_t position, void *user) {
    resting_t *cell = (resting_t *)user;

    (void)d;
    (void)position;
    cell->millivolts = (uint16_t)(cell->millivolts - 300u);
    while (cell->millivolts < 2400u) {
        cell->millivolts = (uint16_t)(cell->millivolts + 100u);
        ++cell->slept;
    }
}

static void the_application_may_sleep_between_blocks(void) {
    fixture_t f;
    dimmer_t d;
    resting_t cell = {2900, 0};

    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(ran(&d, "abcC"));
    dimmer_on_block(&d, rest_there, &cell);
    /* The same blocks: 2600 before the second, 2300 and a sleep before the third. */
    CHECK(ran(&d, "abcC"));
    CHECK(cell.slept == 1);
    CHECK(ran(&d, "abcC"));
    CHECK(cell.slept == 7);
    CHECK(cell.millivolts == 2400u);
}

static void gates_choose_by_the_budget(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_battery_t now = {0, 0, 900, 3300, 0, 0, 0};

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

    for (status = DIMMER_OK; status >= DIMMER_ERR_STATE; --status) {
        CHECK(strcmp(dimmer_status_text((dimmer_status_t)status), "unknown status") != 0);
    }
}

int main(void) {
    init_refuses_what_is_wrong();
    without_a_model_nothing_runs();
    init_notices_every_flip();
    slices_find_what_init_finds();
    a_damaged_state_is_an_error();
    init_refuses_indexes_that_point_outside();
    a_mode_runs_its_own_blocks();
    a_switch_in_the_hook_holds_from_the_next_position_on();
    the_application_may_sleep_between_blocks();
    gates_choose_by_the_budget();
    a_switch_to_gated_holds_from_the_next_stage_on();
    init_refuses_gates_that_are_wrong();
    every_status_has_a_text();
    return failures | battery_failures();
}
