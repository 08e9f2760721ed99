/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: small integer networks that choose the bits of every block for the input at hand.
 * docs/gates.md has the formulas. A model without gates has a null pointer, and gates.c is then not linked.
 *
 * Offsets called weights index the model's weights, those called bias its params.
 */
#ifndef DIMMER_GATES_H
#define DIMMER_GATES_H

#include "dimmer_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Options of a block. */
#define DIMMER_GATE_OPTIONS 4u
/* Channels of the stream where a stage begins, at most. */
#define DIMMER_GATE_CHANNELS 256u

/* One block. */
typedef struct {
    uint32_t entry_weights; /* int8[features][channels + 1]; the last column is the level's */
    uint32_t entry_bias;    /* int32[features] */
    uint32_t head_weights;  /* int8[option_count][hidden] */
    uint32_t head_bias;     /* int32[option_count] */
    uint8_t entry_shift;    /* right shift of the sum, 1..31 */
    uint8_t option_count;   /* 1..DIMMER_GATE_OPTIONS */
    uint8_t skippable;      /* 1: a block of the stage's skippable sub-path */
    uint8_t reserved;
    uint8_t options[DIMMER_GATE_OPTIONS]; /* bits, falling */
} dimmer_gate_t;
DIMMER_CHECK_SIZE(dimmer_gate_t, 24);

/* One stage. The pooled channels are the means of the stream in 1/256:
 * requantise(sum(codes) - pixels * zero_point, multiplier, shift), clamped to 0..2047. */
typedef struct {
    uint32_t input; /* offset in the arena of int8[pixels][channels] */
    int32_t multiplier;
    uint16_t pixels;
    uint16_t channels; /* 1..DIMMER_GATE_CHANNELS */
    uint8_t first_gate;
    uint8_t gate_count; /* 1.. */
    int8_t shift;       /* -31..30, TFLite's sign */
    int8_t zero_point;
} dimmer_gate_stage_t;
DIMMER_CHECK_SIZE(dimmer_gate_stage_t, 16);

/* The recurrent cell that all blocks share. */
typedef struct {
    uint32_t feature_weights; /* int8[hidden][features] */
    uint32_t state_weights;   /* int8[hidden][hidden] */
    uint32_t bias;            /* int32[hidden] */
    uint16_t first_position;  /* of the first block in the schedules; the others follow */
    uint8_t features;         /* 1..DIMMER_GATE_UNITS */
    uint8_t hidden;           /* 1..DIMMER_GATE_UNITS */
    uint8_t shift;            /* right shift of the sum, 0..31 */
    uint8_t reserved[3];
} dimmer_gate_cell_t;
DIMMER_CHECK_SIZE(dimmer_gate_cell_t, 20);

/* What the engine calls; through a pointer, so that only models with gates need them. */
typedef struct {
    int (*hold)(const dimmer_model_t *model);
    /* The part-th run of bytes that the CRC covers, its length in `size`; null behind the last one. */
    const void *(*part)(const dimmer_model_t *model, uint32_t part, uint32_t *size);
    /* Null where the state is damaged. */
    const dimmer_block_t *(*next)(dimmer_t *d, uint16_t position);
    /* The same once more, as all pointers in flash: see dimmer_tables.h. */
    int (*hold_again)(const dimmer_model_t *model);
    const void *(*part_again)(const dimmer_model_t *model, uint32_t part, uint32_t *size);
    const dimmer_block_t *(*next_again)(dimmer_t *d, uint16_t position);
} dimmer_gate_calls_t;

extern const dimmer_gate_calls_t dimmer_gate_calls;

/* dims.gate_count gates in dims.gate_stages stages, both in order. The model's CRC covers, behind the policy:
 * cell, stages, gates, blocks. */
struct dimmer_gates {
    const dimmer_gate_calls_t *calls;
    const dimmer_gate_stage_t *stages;
    const dimmer_gate_t *gates;
    /* [gate_count][2][DIMMER_GATE_OPTIONS]: index into the model's blocks for each option, first with the
     * stage's sub-path executed, then with it skipped. */
    const uint16_t *blocks;
    /* The same pointers once more. */
    const dimmer_gate_calls_t *calls_again;
    const dimmer_gate_stage_t *stages_again;
    const dimmer_gate_t *gates_again;
    const uint16_t *blocks_again;
    dimmer_gate_cell_t cell;
};

/* Pools the stream and chooses for all blocks of a stage: choice[] gets an index into the options of each.
 * state: int16[hidden], all 0 before the first stage. */
void dimmer_gates_choose(const dimmer_model_t *model, uint16_t stage, const uint8_t *arena, uint8_t level,
                         int16_t *state, uint8_t *choice);

#ifdef __cplusplus
}
#endif

#endif
