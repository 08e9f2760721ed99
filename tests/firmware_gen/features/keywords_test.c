/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a file of samples, and writes the network's output of each second of rows, and of each that overlaps
 * it by half. The model is "kws". */
#include <string.h>

#include "dimmer.h"
#include "dimmer_kws.h"
#include "dimmer_kws_features.h"
#include "platform.h"

static uint8_t arena[DIMMER_KWS_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static uint32_t memory[DIMMER_KWS_FEATURES_SIZE / 4u];
static int8_t rows[DIMMER_KWS_ROWS * DIMMER_KWS_COLUMNS];
static int16_t samples[160];
static dimmer_t network;
static dimmer_audio_stream_t features;
static dimmer_window_t window;

int main(int argc, char **argv) {
    const char *words[2];
    int in;
    int out;
    size_t got;

    if (platform_arguments(argc, argv, words, 2) != 2 ||
        dimmer_init(&network, &dimmer_kws, arena, sizeof arena) != DIMMER_OK ||
        dimmer_audio_init(&features, &dimmer_kws_features, memory, sizeof memory) != DIMMER_OK ||
        dimmer_window_init(&window, rows, DIMMER_KWS_ROWS, DIMMER_KWS_COLUMNS, 25) != DIMMER_OK) {
        return 1;
    }
    in = platform_open(words[0], PLATFORM_READ);
    out = platform_open(words[1], PLATFORM_WRITE);
    while ((got = platform_read(in, samples, sizeof samples) / 2u) > 0u) {
        const int16_t *next = samples;

        while (got > 0u) {
            int ready;
            const size_t taken = dimmer_audio_push(&features, next, got, dimmer_window_row(&window), &ready);

            next += taken;
            got -= taken;
            if (ready && dimmer_window_next(&window)) {
                dimmer_window_copy(&window, dimmer_input(&network));
                if (dimmer_invoke(&network) != DIMMER_OK) {
                    return 2;
                }
                (void)platform_write(out, dimmer_output(&network), DIMMER_KWS_OUTPUT_SIZE);
            }
        }
    }
    return platform_close(out);
}
