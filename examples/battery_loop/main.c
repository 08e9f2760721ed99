/* SPDX-License-Identifier: Apache-2.0 */
/* A battery empties, the policy that was generated with the model chooses the mode, and an inference runs in
 * it. In place of a fuel gauge and a camera: a charge that falls, and the input of the model's known answers.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dimmer.h"
#include "dimmer_known_answers.h"
#include "dimmer_model.h"

#define STEP_PERMILLE 100u
#define STEP_SECONDS  3600u

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;

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

    for (hour = 0; status == DIMMER_OK && hour <= 1000u / STEP_PERMILLE; ++hour) {
        const dimmer_battery_t battery = read_battery(hour);

        /* First the mode, then the input: an inference destroys it, so it is written anew each time. */
        status = dimmer_report_battery(&network, &battery);
        if (status == DIMMER_OK) {
            memcpy(dimmer_input(&network), dimmer_known_input, DIMMER_MODEL_INPUT_SIZE);
            status = dimmer_invoke(&network);
        }
        if (status == DIMMER_OK) {
            printf("%4u permille: mode %u\n", (unsigned)battery.charge_permille,
                   (unsigned)dimmer_mode(&network));
        }
    }
    if (status != DIMMER_OK) {
        fprintf(stderr, "error: %s\n", dimmer_status_text(status));
        return 1;
    }
    return 0;
}
