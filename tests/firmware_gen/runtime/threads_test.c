/* SPDX-License-Identifier: Apache-2.0 */
/* One thread infers while another one chooses modes and budgets and asks which mode runs. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "dimmer.h"
#include "dimmer_model.h"

#define INFERENCES 200u

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(16)));
static dimmer_t network;
static atomic_int over;
static atomic_uint switches;

static void *choose(void *ignored) {
    uint32_t turn;

    for (turn = 0; !atomic_load(&over); ++turn) {
        if (dimmer_set_mode(&network, (dimmer_mode_id_t)(turn % DIMMER_MODEL_MODE_COUNT)) != DIMMER_OK ||
            dimmer_mode(&network) >= DIMMER_MODEL_MODE_COUNT ||
            dimmer_running_mode(&network) >= DIMMER_MODEL_MODE_COUNT) {
            break;
        }
        dimmer_set_budget(&network, (uint8_t)turn);
        atomic_fetch_add(&switches, 1u);
    }
    return ignored;
}

int main(void) {
    pthread_t chooser;
    uint32_t i;

    if (dimmer_init(&network, &dimmer_model, arena, sizeof arena) != DIMMER_OK ||
        pthread_create(&chooser, NULL, choose, NULL) != 0) {
        return 2;
    }
    while (atomic_load(&switches) == 0u) {
    }
    for (i = 0; i < INFERENCES; ++i) {
        memset(dimmer_input(&network), (int)i, DIMMER_MODEL_INPUT_SIZE);
        if (dimmer_invoke(&network) != DIMMER_OK) {
            return 3;
        }
    }
    atomic_store(&over, 1);
    return pthread_join(chooser, NULL) != 0 || atomic_load(&switches) < 2u ? 4 : 0;
}
