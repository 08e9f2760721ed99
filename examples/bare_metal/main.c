/* SPDX-License-Identifier: Apache-2.0 */
/* A loop on a board without an operating system, with two modes: the whole network, and the cheapest one. In
 * its last rounds the supply sags in the middle of an inference, and the blocks that have not run yet run in
 * the cheapest mode.
 *
 * Start-up code, vectors and linker script are those of targets/bare_metal. The exit code, which a board has
 * only under an emulator or a debugger, is the number of results that are not as they should be. */
#include <stdint.h>
#include <string.h>

#include "dimmer.h"
#include "dimmer_known_answers.h"
#include "dimmer_model.h"

#define BRIGHT 0u
#define DIM    (DIMMER_MODEL_MODE_COUNT - 1u)
#define ROUNDS 6u

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;

/* A brown-out interrupt would do the same: one byte is stored. */
static void sag(dimmer_t *d, uint16_t position, void *user) {
    (void)user;
    if (position == 1u) {
        (void)dimmer_set_mode(d, DIM);
    }
}

/* Returns 0 where the last result is the known one of a mode. */
static unsigned wrong(unsigned mode) {
    return memcmp(dimmer_output(&network), dimmer_known_outputs[mode], DIMMER_MODEL_OUTPUT_SIZE) != 0 ? 1u
                                                                                                      : 0u;
}

int main(void) {
    unsigned differences = 0;
    unsigned round;

    if (dimmer_init(&network, &dimmer_model, arena, sizeof arena) != DIMMER_OK) {
        return 100;
    }
    /* for (;;) in a product. */
    for (round = 0; round < ROUNDS; ++round) {
        const unsigned mode = round % 2u == 0u ? BRIGHT : DIM;

        if (dimmer_set_mode(&network, (dimmer_mode_id_t)mode) != DIMMER_OK) {
            return 101;
        }
        memcpy(dimmer_input(&network), dimmer_known_input, DIMMER_MODEL_INPUT_SIZE);
        if (round + 2u >= ROUNDS) {
            dimmer_on_block(&network, sag, NULL);
        }
        if (dimmer_invoke(&network) != DIMMER_OK) {
            return 102;
        }
        /* After a switch in its middle a result is neither mode's; what it is, `pipeline.verify` compares. */
        if (dimmer_running_mode(&network) == mode) {
            differences += wrong(mode);
        }
    }
    /* Every later inference begins in the mode that was selected last. */
    return dimmer_mode(&network) == DIM ? (int)differences : 103;
}
