/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_gates.h"

#include "dimmer_assert.h"
#include "dimmer_fixed_point.h"
#include "shared_byte.h"

#define MAX_CODE   127
#define MAX_POOLED 2047
/* Fraction bits of the state less those of the features. */
#define FEATURE_TO_STATE 2
/* A level counts 1/64, the pooled channels 1/256. */
#define LEVEL_SHIFT 2
/* Set in a choice until its block has run. */
#define PENDING  0x80u
#define NO_STAGE 0xFFu

static int32_t shifted(int32_t x, unsigned shift) {
    return shift == 0u ? x : (x + ((int32_t)1 << (shift - 1u))) >> shift;
}

static int32_t dot(const int8_t *weights, const int16_t *x, uint32_t count) {
    int32_t sum = 0;
    uint32_t i;

    for (i = 0; i < count; ++i) {
        sum += weights[i] * x[i];
    }
    return sum;
}

static int16_t clamped(int32_t x, int32_t low, int32_t high) {
    return (int16_t)(x < low ? low : (x > high ? high : x));
}

static void pool(const dimmer_gate_stage_t *stage, const int8_t *input, int16_t *pooled) {
    uint32_t channel;

    for (channel = 0; channel < stage->channels; ++channel) {
        const int8_t *x = input + channel;
        int32_t sum = -(int32_t)stage->pixels * stage->zero_point;
        uint32_t pixel;

        for (pixel = 0; pixel < stage->pixels; ++pixel) {
            sum += *x;
            x += stage->channels;
        }
        pooled[channel] = clamped(dimmer_requantize(sum, stage->multiplier, stage->shift), 0, MAX_POOLED);
    }
}

static void step_cell(const dimmer_model_t *model, const int16_t *features, int16_t *state) {
    const dimmer_gate_cell_t *cell = &model->gates->cell;
    int16_t next[DIMMER_GATE_UNITS];
    uint32_t unit;

    for (unit = 0; unit < cell->hidden; ++unit) {
        const int8_t *of_features = model->weights + cell->feature_weights + unit * cell->features;
        const int8_t *of_state = model->weights + cell->state_weights + unit * cell->hidden;
        const int32_t sum = dot(of_features, features, cell->features) * (1 << FEATURE_TO_STATE) +
                            dot(of_state, state, cell->hidden) + model->params[cell->bias + unit];

        next[unit] = clamped(shifted(sum, cell->shift), -MAX_CODE, MAX_CODE);
    }
    for (unit = 0; unit < cell->hidden; ++unit) {
        state[unit] = next[unit];
    }
}

static uint8_t best_option(const dimmer_model_t *model, const dimmer_gate_t *gate, const int16_t *state) {
    const uint32_t hidden = model->gates->cell.hidden;
    int32_t most = 0;
    uint8_t best = 0;
    uint8_t option;

    for (option = 0; option < gate->option_count; ++option) {
        const int8_t *weights = model->weights + gate->head_weights + option * hidden;
        const int32_t logit = dot(weights, state, hidden) + model->params[gate->head_bias + option];

        if (option == 0u || logit > most) {
            most = logit;
            best = option;
        }
    }
    return best;
}

void dimmer_gates_choose(const dimmer_model_t *model, uint16_t stage, const uint8_t *arena, uint8_t level,
                         int16_t *state, uint8_t *choice) {
    const dimmer_gates_t *gates;
    const dimmer_gate_stage_t *s;
    int16_t pooled[DIMMER_GATE_CHANNELS + 1u];
    int16_t features[DIMMER_GATE_UNITS];
    uint32_t number;

    DIMMER_ASSERT(model != NULL && model->gates != NULL && stage < model->dims.gate_stages);
    DIMMER_ASSERT(arena != NULL && state != NULL && choice != NULL);
    gates = model->gates;
    s = &gates->stages[stage];
    pool(s, (const int8_t *)(arena + s->input), pooled);
    pooled[s->channels] = (int16_t)(level << LEVEL_SHIFT);
    for (number = 0; number < s->gate_count; ++number) {
        const dimmer_gate_t *gate = &gates->gates[s->first_gate + number];
        const uint32_t inputs = s->channels + 1u;
        uint32_t i;

        for (i = 0; i < gates->cell.features; ++i) {
            const int32_t sum = dot(model->weights + gate->entry_weights + i * inputs, pooled, inputs) +
                                model->params[gate->entry_bias + i];

            features[i] = clamped(shifted(sum, gate->entry_shift), 0, MAX_CODE);
        }
        step_cell(model, features, state);
        choice[number] = best_option(model, gate, state);
    }
}

static int holds(const dimmer_model_t *model) {
    const dimmer_gates_t *gates = model->gates;
    const dimmer_gate_cell_t *cell = &gates->cell;
    const uint32_t count = model->dims.gate_count;
    uint32_t next = 0;
    uint32_t i;

    if (count == 0u || count > DIMMER_MAX_GATES || cell->features - 1u >= DIMMER_GATE_UNITS ||
        cell->hidden - 1u >= DIMMER_GATE_UNITS || cell->shift > 31u ||
        (uint32_t)cell->first_position + count > model->dims.position_count) {
        return 0;
    }
    for (i = 0; i < model->dims.gate_stages; ++i) {
        const dimmer_gate_stage_t *s = &gates->stages[i];
        const uint32_t size = (uint32_t)s->pixels * s->channels;

        if (s->first_gate != next || s->gate_count == 0u || s->channels - 1u >= DIMMER_GATE_CHANNELS ||
            size > model->dims.arena_size || s->input > model->dims.arena_size - size) {
            return 0;
        }
        next += s->gate_count;
    }
    if (next != count) {
        return 0;
    }
    for (i = 0; i < count; ++i) {
        const uint32_t options = gates->gates[i].option_count;
        uint32_t k;

        if (options - 1u >= DIMMER_GATE_OPTIONS || gates->gates[i].entry_shift - 1u > 30u) {
            return 0;
        }
        for (k = 0; k < 2u * DIMMER_GATE_OPTIONS; ++k) {
            if (gates->blocks[2u * DIMMER_GATE_OPTIONS * i + k] >= model->dims.block_count) {
                return 0;
            }
        }
    }
    return 1;
}

static const void *gate_part(const dimmer_model_t *model, uint32_t part, uint32_t *size) {
    const dimmer_gates_t *gates = model->gates;
    const uint32_t count = model->dims.gate_count;

    switch (part) {
    case 0:
        *size = sizeof gates->cell;
        return &gates->cell;
    case 1:
        *size = model->dims.gate_stages * (uint32_t)sizeof *gates->stages;
        return gates->stages;
    case 2:
        *size = count * (uint32_t)sizeof *gates->gates;
        return gates->gates;
    case 3:
        *size = count * 2u * DIMMER_GATE_OPTIONS * (uint32_t)sizeof *gates->blocks;
        return gates->blocks;
    default:
        return NULL;
    }
}

static void begin(dimmer_t *d) {
    uint32_t i;

    for (i = 0; i < DIMMER_GATE_UNITS; ++i) {
        d->gating.state[i] = 0;
    }
    for (i = 0; i < DIMMER_MAX_GATES; ++i) {
        d->gating.choice[i] = PENDING;
    }
    d->gating.stage = NO_STAGE;
    d->gating.begun = 1u;
}

static uint8_t stage_of(const dimmer_gates_t *gates, uint32_t gate, uint32_t stages) {
    uint8_t stage = 0;

    /* The last stage has the rest, whatever a table that is damaged says. */
    while (stage + 1u < stages &&
           gate >= (uint32_t)gates->stages[stage].first_gate + gates->stages[stage].gate_count) {
        ++stage;
    }
    return stage;
}

/* Whether every block of the stage's skippable sub-path was given 0 bits. */
static int skips(const dimmer_gates_t *gates, const dimmer_gate_stage_t *s, const uint8_t *choice) {
    int found = 0;
    uint32_t i;

    for (i = s->first_gate; i < (uint32_t)s->first_gate + s->gate_count; ++i) {
        const dimmer_gate_t *gate = &gates->gates[i];

        if (gate->skippable) {
            if (gate->options[choice[i] & (DIMMER_GATE_OPTIONS - 1u)] != 0u) {
                return 0;
            }
            found = 1;
        }
    }
    return found;
}

/* Null where a table that is damaged says another number. */
static const dimmer_block_t *block_at(const dimmer_model_t *model, uint32_t index) {
    return index < model->dims.block_count ? &model->blocks[index] : NULL;
}

static const dimmer_block_t *next_block(dimmer_t *d, uint16_t position) {
    const dimmer_model_t *model = d->model;
    const dimmer_gates_t *gates = model->gates;
    const uint32_t gate = (uint32_t)position - gates->cell.first_position;
    uint8_t *choice = d->gating.choice;
    const dimmer_gate_stage_t *s;
    uint32_t index;
    uint8_t stage;
    uint8_t i;

    if (!d->gating.begun) {
        begin(d);
    }
    if (gate >= model->dims.gate_count) {
        /* Stem and head are the same in every mode. */
        DIMMER_STORE(d->running, DIMMER_MODE_GATED);
        return block_at(model, model->schedules[position]);
    }
    stage = stage_of(gates, gate, model->dims.gate_stages);
    s = &gates->stages[stage];
    if (gate == s->first_gate) {
        dimmer_gates_choose(model, stage, d->arena, DIMMER_LOAD(d->gating.level), d->gating.state,
                            choice + gate);
        for (i = 0; i < s->gate_count; ++i) {
            choice[gate + i] |= PENDING;
        }
        d->gating.stage = stage;
    }
    if (d->gating.stage != stage) {
        /* Gated since the middle of a stage: its norms are chosen already, so its mode goes on to its end. */
        index = DIMMER_LOAD(d->running);
        if (index >= model->dims.mode_count) {
            return NULL;
        }
        index = index * model->dims.position_count + position;
        return block_at(model, model->schedules[index]);
    }
    index = 2u * DIMMER_GATE_OPTIONS * gate + (skips(gates, s, choice) ? DIMMER_GATE_OPTIONS : 0u);
    choice[gate] &= (uint8_t)~PENDING;
    if (choice[gate] >= DIMMER_GATE_OPTIONS) {
        return NULL;
    }
    DIMMER_STORE(d->running, DIMMER_MODE_GATED);
    return block_at(model, gates->blocks[index + choice[gate]]);
}

const dimmer_gate_calls_t dimmer_gate_calls = {holds, gate_part, next_block, holds, gate_part, next_block};
