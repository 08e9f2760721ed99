/* SPDX-License-Identifier: Apache-2.0 */
/* The generated model as a library for benchmarks/host.py: one network, one arena. */
#include "dimmer.h"
#include "dimmer_model.h"

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;

int engine_start(void);
void *engine_input(void);
const void *engine_output(void);
void engine_run(void);

int engine_start(void) {
    return dimmer_init(&network, &dimmer_model, arena, sizeof arena) == DIMMER_OK;
}

void *engine_input(void) {
    return dimmer_input(&network);
}

const void *engine_output(void) {
    return dimmer_output(&network);
}

void engine_run(void) {
    (void)dimmer_invoke(&network);
}
