/* SPDX-License-Identifier: Apache-2.0 */
/* On a board: the most instructions of a choice and of a report, with and without harvest, over a life of 400
 * reports. */
#include <string.h>

#include "dimmer_governor.h"
#include "platform.h"
#include "text.h"

#define REPORTS    400u
#define INFERENCES 12u

static text_t text;
static dimmer_governor_t governor;

static const dimmer_plan_t plans[2] = {
    {.life_s = 8000000,
     .sleep_q8 = 27000,
     .wanted_q8 = 15360,
     .permille_units = 50000,
     .reserve_permille = 40,
     .report_s = 600,
     .cold_q6 = 13,
     .unit_shift = 9,
     .count = 8,
     .points = {{1000, 7, 0},
                {2000, 6, 0},
                {4000, 5, 0},
                {8000, 4, 0},
                {16000, 3, 0},
                {32000, 2, 0},
                {45000, 1, 0},
                {60000, 0, 0}}},
    {.sleep_q8 = 27000,
     .wanted_q8 = 15360,
     .permille_units = 50000,
     .harvest_q8 = 24000,
     .reserve_permille = 40,
     .report_s = 600,
     .cold_q6 = 13,
     .unit_shift = 3,
     .low_q6 = 26,
     .count = 8,
     .points = {{1000, 7, 0},
                {2000, 6, 0},
                {4000, 5, 0},
                {8000, 4, 0},
                {16000, 3, 0},
                {32000, 2, 0},
                {45000, 1, 0},
                {60000, 0, 0}}},
};

static uint32_t most(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

int main(void) {
    uint32_t choice = 0;
    uint32_t choices = 0;
    uint32_t count = 0;
    uint32_t which;

    if (!platform_start_counter()) {
        return 1;
    }
    for (which = 0; which < 2u; ++which) {
        uint32_t report = 0;
        uint32_t i;
        uint32_t k;

        dimmer_governor_start(&governor, &plans[which]);
        for (i = 0; i < REPORTS; ++i) {
            const dimmer_point_t *point = NULL;
            dimmer_battery_t now;
            uint32_t start;

            memset(&now, 0, sizeof now);
            now.time_s = i * 600u;
            now.charge_permille = (uint16_t)(1000u - i * 1000u / REPORTS + (i % 7u == 0u ? 30u : 0u));
            now.harvest_ua = i * 600u / 3600u % 24u * 13u;
            now.temperature_dk = 2750;
            start = platform_ticks();
            dimmer_governor_report(&governor, &now);
            report = most(report, platform_ticks() - start);
            for (k = 0; k < INFERENCES + i % 16u; ++k) {
                start = platform_ticks();
                (void)dimmer_governor_choose(&governor, &point);
                start = platform_ticks() - start;
                choice = most(choice, start);
                choices += start;
                ++count;
            }
        }
        text_begin(&text, which == 0u ? "report" : "harvest");
        text_number(&text, "most", platform_instructions(report));
        text_end(&text);
    }
    text_begin(&text, "choose");
    text_number(&text, "most", platform_instructions(choice));
    text_number(&text, "mean", platform_instructions(choices / count));
    text_end(&text);
    return 0;
}
