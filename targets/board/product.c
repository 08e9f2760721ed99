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
#include "predicted.h"
#include "text.h"

#define PERIOD_S 10u
/* Of a lithium cell, roughly, and of a coin cell, at which the chip itself hangs: a gauge knows better, and
 * the governor counts by itself between its readings. */
#define EMPTY_MV      3000u
#define FULL_MV       4200u
#define COIN_EMPTY_MV 2000u
#define COIN_FULL_MV  3000u

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
    const uint32_t empty = board_gave_supply() ? COIN_EMPTY_MV : EMPTY_MV;
    const uint32_t span = (board_gave_supply() ? COIN_FULL_MV : FULL_MV) - empty;
    const uint32_t above = measured > empty ? measured - empty : 0u;
    dimmer_battery_t now = {0};

    now.time_s = time_s;
    now.millivolts = (uint16_t)measured;
    now.charge_permille = (uint16_t)(above >= span ? 1000u : above * 1000u / span);
    return now;
}

/* Your sensor stands here: it fills the input anew each time, since an inference destroys it. */
static void take_input(int8_t *input) {
    memcpy(input, dimmer_known_input, DIMMER_MODEL_INPUT_SIZE);
}

/* One inference, a pin high meanwhile. */
static dimmer_status_t classify(void) {
    const int counting = platform_start_counter(); /* anew: sleep may have had the timer */
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
        const int32_t class = predicted_class(&network);

        text_string(&text, "mode", mode == DIMMER_MODE_GATED ? "gated" : dimmer_model.modes[mode].name);
        if (class >= 0) {
            text_signed(&text, "class", class);
        }
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
    uint32_t time_s = 0;
    uint32_t more_ms = 0;

    (void)argc;
    (void)argv;
    if (status == DIMMER_OK && dimmer_model.plan != NULL) {
        status = dimmer_govern(&network, &governor);
    }
    while (status == DIMMER_OK) {
        const dimmer_battery_t now = look_at_battery(time_s);
        dimmer_advice_t advice = DIMMER_RUN;
        uint32_t busy_ms;
        uint32_t turn_ms;

        cycles = 0u;
        status = dimmer_report_battery(&network, &now);
        if (status == DIMMER_ERR_POLICY) { /* a model of one mode has none, and nothing to choose */
            status = DIMMER_OK;
        } else if (status == DIMMER_OK) {
            advice = dimmer_next(&network);
        }
        if (status == DIMMER_OK && advice == DIMMER_RUN) {
            take_input(dimmer_input(&network));
            status = classify();
        }
        if (status != DIMMER_OK) {
            break;
        }
        say_inference(&now, advice);
        /* A turn is no shorter than its inference. */
        busy_ms = platform_microseconds(cycles) / 1000u;
        turn_ms = busy_ms > 1000u * PERIOD_S ? busy_ms : 1000u * PERIOD_S;
        board_sleep(turn_ms - busy_ms);
        more_ms += turn_ms;
        time_s += more_ms / 1000u;
        more_ms %= 1000u;
    }
    text_begin(&text, "error");
    text_string(&text, "message", dimmer_status_text(status));
    text_end(&text);
    for (;;) { /* a damaged model stays one */
        board_sleep(1000u * PERIOD_S);
    }
}
