/* SPDX-License-Identifier: Apache-2.0 */
/* A battery empties, and an inference runs in the mode that the governor chooses, where the model was
 * generated with a plan for one, or the policy's tiers. In place of a fuel gauge and a camera: a charge that
 * falls, and the input of the model's known answers.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dimmer_governor.h"
#include "dimmer_known_answers.h"
#include "dimmer_model.h"

#define STEP_PERMILLE 100u
#define STEP_SECONDS  3600u

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;
static dimmer_governor_t governor;

/* The gauge of your board stands here. */
static dimmer_battery_t read_battery(unsigned hour) {
    dimmer_battery_t now = {0};

    now.time_s = hour * STEP_SECONDS;
    now.charge_permille = (uint16_t)(1000u - hour * STEP_PERMILLE);
    now.millivolts = (uint16_t)(3300u + now.charge_permille * 9u / 10u);
    return now;
}

int main(void) {
    dimmer_status_t status = dimmer_init(&network, &dimmer_model, arena, sizeof arena);
    unsigned hour;

    if (status == DIMMER_OK && dimmer_model.plan != NULL) {
        status = dimmer_govern(&network, &governor);
    }

    for (hour = 0; status == DIMMER_OK && hour <= 1000u / STEP_PERMILLE; ++hour) {
        const dimmer_battery_t battery = read_battery(hour);

        dimmer_advice_t advice;

        status = dimmer_report_battery(&network, &battery);
        if (status != DIMMER_OK) {
            break;
        }
        advice = dimmer_next(&network);
        printf("%4u permille: ", (unsigned)battery.charge_permille);
        if (advice != DIMMER_RUN) {
            printf("%s\n", advice == DIMMER_SKIP ? "left out" : "stopped");
            continue;
        }
        /* First the mode, then the input: an inference destroys it, so it is written anew each time. */
        memcpy(dimmer_input(&network), dimmer_known_input, DIMMER_MODEL_INPUT_SIZE);
        status = dimmer_invoke(&network);
        printf("mode %u\n", (unsigned)dimmer_running_mode(&network));
    }
    if (status != DIMMER_OK) {
        fprintf(stderr, "error: %s\n", dimmer_status_text(status));
        return 1;
    }
    return 0;
}
