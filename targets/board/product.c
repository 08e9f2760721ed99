/* SPDX-License-Identifier: Apache-2.0 */
/* A product: it looks at its battery, lets governor or policy choose, classifies, says so in a line of JSON,
 * and sleeps. `dimmer product` compiles it for a board; your sensor and your gauge go where the comments say.
 */
#include <string.h>

#include "board.h"
#include "dimmer.h"
#include "dimmer_governor.h"
#include "dimmer_known_answers.h"
#include "dimmer_model.h"
#include "platform.h"
#include "text.h"

#define PERIOD_S 10u
/* Of a lithium cell, roughly: a gauge knows better, and the governor counts by itself between its readings.
 */
#define EMPTY_MV 3000u
#define FULL_MV  4200u

#if defined(DIMMER_ARENA_SECTION)
__attribute__((section(DIMMER_ARENA_SECTION)))
#endif
static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;
static dimmer_governor_t governor;
static text_t text;
static uint32_t cycles; /* of the last inference; 0 where this core does not count them */

int main(int argc, char **argv);

/* Your gauge stands here. */
static dimmer_battery_t look_at_battery(uint32_t time_s) {
    const uint32_t measured = board_millivolts();
    const uint32_t above = measured > EMPTY_MV ? measured - EMPTY_MV : 0u;
    dimmer_battery_t now = {0};

    now.time_s = time_s;
    now.millivolts = (uint16_t)measured;
    now.charge_permille =
        (uint16_t)(above >= FULL_MV - EMPTY_MV ? 1000u : above * 1000u / (FULL_MV - EMPTY_MV));
    return now;
}

/* Your sensor stands here: it fills the input anew each time, since an inference destroys it. */
static void take_input(int8_t *input) {
    memcpy(input, dimmer_known_input, DIMMER_MODEL_INPUT_SIZE);
}

/* The largest of an int8 output. */
static uint32_t class_of(const int8_t *output) {
    uint32_t best = 0;
    uint32_t i;

    for (i = 1; i < DIMMER_MODEL_OUTPUT_SIZE; ++i) {
        best = output[i] > output[best] ? i : best;
    }
    return best;
}

/* One inference, a pin high meanwhile. */
static dimmer_status_t classify(int counting) {
    const uint32_t start = platform_cycles();
    dimmer_status_t status;

    board_pin(1);
    status = dimmer_invoke(&network);
    board_pin(0);
    cycles = counting ? platform_cycles() - start : 0u;
    return status;
}

/* A line of JSON, as `dimmer watch` shows it. */
static void say_inference(const dimmer_battery_t *now, dimmer_advice_t advice) {
    const uint32_t mode = dimmer_running_mode(&network);
    const uint32_t life_s = network.governor != NULL ? dimmer_governor_life_s(&governor) : UINT32_MAX;

    text_begin(&text, "inference");
    text_number(&text, "time_s", now->time_s);
    text_number(&text, "millivolts", now->millivolts);
    text_number(&text, "charge_permille", now->charge_permille);
    if (advice == DIMMER_RUN) {
        text_string(&text, "mode", mode == DIMMER_MODE_GATED ? "gated" : dimmer_model.modes[mode].name);
        text_number(&text, "class", class_of(dimmer_output(&network)));
        if (cycles != 0u) {
            text_number(&text, "latency_us", platform_microseconds(cycles));
        }
    } else {
        text_word(&text, "mode", "null");
    }
    if (life_s != UINT32_MAX) {
        text_number(&text, "life_s", life_s);
    }
    text_end(&text);
}

int main(int argc, char **argv) {
    dimmer_status_t status = dimmer_init(&network, &dimmer_model, arena, sizeof arena);
    const int counting = platform_start_counter();
    uint32_t time_s = 0;

    (void)argc;
    (void)argv;
    if (status == DIMMER_OK && dimmer_model.plan != NULL) {
        status = dimmer_govern(&network, &governor);
    }
    for (; status == DIMMER_OK; time_s += PERIOD_S) {
        const dimmer_battery_t now = look_at_battery(time_s);
        dimmer_advice_t advice;

        /* A model of one mode has no policy, and nothing to choose. */
        if (dimmer_report_battery(&network, &now) == DIMMER_ERR_POLICY) {
            advice = DIMMER_RUN;
        } else {
            advice = dimmer_next(&network);
        }
        if (advice == DIMMER_RUN) {
            take_input(dimmer_input(&network));
            status = classify(counting);
        }
        say_inference(&now, advice);
        board_sleep(1000u * PERIOD_S);
    }
    text_begin(&text, "error");
    text_string(&text, "message", dimmer_status_text(status));
    text_end(&text);
    for (;;) { /* a damaged model stays one */
        board_sleep(1000u * PERIOD_S);
    }
}
