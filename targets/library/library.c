/* SPDX-License-Identifier: Apache-2.0 */
/* A model as a shared library, for programs that know no layout of the runtime's structs.
 *
 * The caller owns the memory of an instance: library_bytes() of them, from a multiple of
 * DIMMER_ARENA_ALIGN on. Every call but those that only tell about the model takes that memory; calls
 * of one instance must not overlap, those of several may.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dimmer_model.h"
#include "dimmer_tables.h"

#define EXPORT __attribute__((visibility("default")))

/* Raised whenever a function below changes. */
#define LIBRARY_VERSION 1u

typedef struct {
    uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
    dimmer_t network;
    const uint8_t *wanted; /* mode at each position; null in a gated run */
    uint8_t ran[DIMMER_MODEL_POSITION_COUNT];
} instance_t;

EXPORT uint32_t library_version(void);
EXPORT uint64_t library_bytes(void);
EXPORT const char *library_name(void);
EXPORT uint32_t library_modes(void);
EXPORT uint32_t library_positions(void);
EXPORT uint32_t library_gated_blocks(void);
EXPORT uint32_t library_tiers(void);
EXPORT const char *library_mode_name(uint32_t mode);
EXPORT uint32_t library_size(int output);
EXPORT float library_scale(int output);
EXPORT int32_t library_zero_point(int output);
EXPORT uint32_t library_type(int output);
EXPORT const char *library_status_text(int32_t status);
EXPORT int32_t library_open(void *memory, uint64_t bytes);
EXPORT uint32_t library_mode(const void *memory);
EXPORT int32_t library_set_mode(void *memory, uint32_t mode);
EXPORT uint32_t library_level(const void *memory);
EXPORT void library_set_level(void *memory, uint32_t level);
EXPORT int32_t library_report_battery(void *memory, uint32_t time_s, uint32_t charge_permille,
                                      uint32_t millivolts, uint32_t harvest_ua);
EXPORT int32_t library_run(void *memory, const uint8_t *wanted, const uint8_t *inputs, uint8_t *outputs,
                           uint64_t count);
EXPORT uint32_t library_ran(const void *memory, uint32_t position);
EXPORT uint32_t library_bits(const void *memory, uint32_t block);

static const dimmer_tensor_t *end_of(int output) {
    return output != 0 ? &dimmer_model.dims.output : &dimmer_model.dims.input;
}

static void follow(dimmer_t *d, uint16_t position, void *user) {
    instance_t *instance = (instance_t *)user;

    instance->ran[position - 1u] = dimmer_running_mode(d);
    if (instance->wanted != NULL) {
        (void)dimmer_set_mode(d, instance->wanted[position]);
    }
}

uint32_t library_version(void) {
    return LIBRARY_VERSION;
}

uint64_t library_bytes(void) {
    return sizeof(instance_t);
}

const char *library_name(void) {
    return dimmer_model.name;
}

uint32_t library_modes(void) {
    return dimmer_model.dims.mode_count;
}

uint32_t library_positions(void) {
    return dimmer_model.dims.position_count;
}

uint32_t library_gated_blocks(void) {
    return dimmer_model.dims.gate_count;
}

/* Of the policy; 0 where there is none. */
uint32_t library_tiers(void) {
    return dimmer_model.policy.tier_count;
}

const char *library_mode_name(uint32_t mode) {
    return dimmer_model.modes[mode].name;
}

/* Of the input, or of the output where `output` is not 0, as are the three below. Bytes. */
uint32_t library_size(int output) {
    return end_of(output)->size;
}

float library_scale(int output) {
    return end_of(output)->scale;
}

int32_t library_zero_point(int output) {
    return end_of(output)->zero_point;
}

/* DIMMER_INT8 and so on. */
uint32_t library_type(int output) {
    return end_of(output)->type;
}

const char *library_status_text(int32_t status) {
    return dimmer_status_text((dimmer_status_t)status);
}

/* Begins an instance. Returns a dimmer_status_t, as do all functions of int32_t below. */
int32_t library_open(void *memory, uint64_t bytes) {
    instance_t *instance = (instance_t *)memory;

    if (memory == NULL || bytes < sizeof *instance) {
        return DIMMER_ERR_ARENA_SIZE;
    }
    memset(instance, 0, sizeof *instance);
    return dimmer_init(&instance->network, &dimmer_model, instance->arena, sizeof instance->arena);
}

/* The mode of the next inference. */
uint32_t library_mode(const void *memory) {
    return dimmer_mode(&((const instance_t *)memory)->network);
}

int32_t library_set_mode(void *memory, uint32_t mode) {
    if (mode > UINT8_MAX) {
        return DIMMER_ERR_MODE;
    }
    return dimmer_set_mode(&((instance_t *)memory)->network, (dimmer_mode_id_t)mode);
}

/* The gates' budget, 0..255. */
uint32_t library_level(const void *memory) {
    return ((const instance_t *)memory)->network.gating.level;
}

void library_set_level(void *memory, uint32_t level) {
    dimmer_set_budget(&((instance_t *)memory)->network, (uint8_t)level);
}

int32_t library_report_battery(void *memory, uint32_t time_s, uint32_t charge_permille, uint32_t millivolts,
                               uint32_t harvest_ua) {
    dimmer_battery_t now = {0};

    now.time_s = time_s;
    now.harvest_ua = harvest_ua;
    now.charge_permille = (uint16_t)charge_permille;
    now.millivolts = (uint16_t)millivolts;
    return dimmer_report_battery(&((instance_t *)memory)->network, &now);
}

/* Runs `count` inferences on inputs that lie one behind the other. The mode of the next inference is
 * afterwards what it was before.
 * wanted: the mode at each position; DIMMER_MODE_GATED at the first one for a gated run. */
int32_t library_run(void *memory, const uint8_t *wanted, const uint8_t *inputs, uint8_t *outputs,
                    uint64_t count) {
    instance_t *instance = (instance_t *)memory;
    dimmer_t *network = &instance->network;
    const size_t taken = dimmer_model.dims.input.size;
    const size_t given = dimmer_model.dims.output.size;
    const dimmer_mode_id_t before = dimmer_mode(network);
    dimmer_status_t status = DIMMER_OK;
    uint64_t i;

    instance->wanted = wanted[0] == DIMMER_MODE_GATED ? NULL : wanted;
    dimmer_on_block(network, follow, instance);
    for (i = 0; i < count && status == DIMMER_OK; ++i) {
        status = dimmer_set_mode(network, wanted[0]);
        if (status == DIMMER_OK) {
            memcpy(dimmer_input(network), inputs + i * taken, taken);
            status = dimmer_invoke(network);
        }
        if (status == DIMMER_OK) {
            instance->ran[DIMMER_MODEL_POSITION_COUNT - 1u] = dimmer_running_mode(network);
            memcpy(outputs + i * given, dimmer_output(network), given);
        }
    }
    dimmer_on_block(network, NULL, NULL);
    (void)dimmer_set_mode(network, before);
    return (int32_t)status;
}

/* The mode that a position, below library_positions(), ran in in the last inference. */
uint32_t library_ran(const void *memory, uint32_t position) {
    return ((const instance_t *)memory)->ran[position];
}

/* As dimmer_gated_bits of dimmer.h. */
uint32_t library_bits(const void *memory, uint32_t block) {
    return dimmer_gated_bits(&((const instance_t *)memory)->network, (uint16_t)block);
}
