/* SPDX-License-Identifier: Apache-2.0 */
#include "known_answers.h"

#include <string.h>

#include "dimmer_ethos_u.h"
#include "dimmer_known_answers.h"
#include "dimmer_model.h"

/* Where constants lie, in flash or MRAM, and the arena, in SRAM, the NPU has to reach both. */
static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_NPU_ALIGN)));
static dimmer_t network;

int example_known_answers(uint32_t (*microseconds)(void), example_say_t say) {
    const dimmer_status_t begun = dimmer_init(&network, &dimmer_model, arena, sizeof arena);
    int wrong = 0;
    uint32_t mode;

    if (begun != DIMMER_OK) {
        say(0, dimmer_status_text(begun), 0);
        return 1;
    }
    for (mode = 0; mode < DIMMER_MODEL_MODE_COUNT; ++mode) {
        dimmer_npu_status_t status;
        uint32_t start;

        (void)dimmer_set_mode(&network, (dimmer_mode_id_t)mode);
        memcpy(dimmer_input(&network), dimmer_known_input, sizeof dimmer_known_input);
        start = microseconds();
        (void)dimmer_invoke(&network);
        start = microseconds() - start;
        status = dimmer_npu_status(&network);
        if (status != DIMMER_NPU_OK) {
            say(mode, dimmer_npu_status_text(status), start);
            ++wrong;
        } else if (memcmp(dimmer_output(&network), dimmer_known_outputs[mode],
                          sizeof dimmer_known_outputs[mode]) != 0) {
            say(mode, "another answer than TFLite's", start);
            ++wrong;
        } else {
            say(mode, "as TFLite computes it", start);
        }
    }
    return wrong;
}
