/* SPDX-License-Identifier: Apache-2.0 */
/* What test_flips.py calls on an emulated core, one function after the other. */
#include <string.h>

#include "dimmer_governor.h"
#include "dimmer_model.h"

#define RUNS (DIMMER_MODEL_MODE_COUNT + 1u)

int start(void);
int answer(void);
int slice(uint32_t bytes);
uint32_t passes(void);
void done(void);
int main(void);

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;
static dimmer_governor_t governor;
__attribute__((used)) int8_t outputs[RUNS * DIMMER_MODEL_OUTPUT_SIZE];

__attribute__((noinline)) int start(void) {
    dimmer_status_t status = dimmer_init(&network, &dimmer_model, arena, sizeof arena);

    if (status == DIMMER_OK) {
        status = dimmer_govern(&network, &governor);
    }
    return status;
}

/* One inference in each mode and one with gates; the names of the modes are read, too. */
__attribute__((noinline)) int answer(void) {
    dimmer_battery_t now = {0, 50, 800, 3700, 0, 0, 0};
    uint32_t mode;
    uint32_t i;

    memset(outputs, 0, sizeof outputs);
    for (mode = 0; mode < RUNS; ++mode) {
        int8_t *input = dimmer_input(&network);
        dimmer_status_t status;

        now.time_s += 100u;
        status = dimmer_report_battery(&network, &now);
        if (status != DIMMER_OK || input == NULL) {
            return status != DIMMER_OK ? (int)status : (int)DIMMER_ERR_INIT;
        }
        (void)dimmer_next(&network);
        status = dimmer_set_mode(&network, mode + 1u < RUNS ? (dimmer_mode_id_t)mode : DIMMER_MODE_GATED);
        if (status != DIMMER_OK) {
            return status;
        }
        for (i = 0; i < DIMMER_MODEL_INPUT_SIZE; ++i) {
            input[i] = (int8_t)(i * 7u % 128u);
        }
        status = dimmer_invoke(&network);
        if (status != DIMMER_OK) {
            return status;
        }
        memcpy(outputs + mode * DIMMER_MODEL_OUTPUT_SIZE, dimmer_output(&network), DIMMER_MODEL_OUTPUT_SIZE);
        if (mode + 1u < RUNS && strlen(dimmer_model.modes[mode].name) != 3u) {
            return 1;
        }
    }
    return DIMMER_OK;
}

__attribute__((noinline)) int slice(uint32_t bytes) {
    return dimmer_check(&network, bytes);
}

__attribute__((noinline)) uint32_t passes(void) {
    return dimmer_checked(&network);
}

__attribute__((noinline)) void done(void) {
    for (;;) {
    }
}

int main(void) {
    (void)start();
    (void)answer();
    (void)slice(passes());
    done();
    return 0;
}
