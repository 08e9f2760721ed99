/* SPDX-License-Identifier: Apache-2.0 */
/* A microphone's samples come in pieces; every 20 ms of them make a row of MFCC, five rows more an inference,
 * where something is to be heard, and three inferences that agree a detection. In place of the microphone:
 * standard input, 16 bits a sample, 16,000 a second, little-endian.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dimmer.h"
#include "dimmer_kws.h"
#include "dimmer_kws_features.h"

#define PIECE 256
#define HOP   5

static uint8_t arena[DIMMER_KWS_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static uint32_t feature_memory[(DIMMER_KWS_FEATURES_SIZE + 3) / 4];
static uint16_t detector_memory[(DIMMER_KWS_DETECTOR_SIZE + 1) / 2];
static int8_t rows[DIMMER_KWS_ROWS * DIMMER_KWS_COLUMNS];

static dimmer_t network;
static dimmer_audio_stream_t features;
static dimmer_window_t window;
static dimmer_activity_stream_t activity;
static dimmer_detector_stream_t detector;

static unsigned row_count;
static unsigned inferences;
static unsigned left_out;

static dimmer_status_t start(void) {
    dimmer_status_t status = dimmer_init(&network, &dimmer_kws, arena, sizeof arena);

    if (status == DIMMER_OK) {
        status = dimmer_audio_init(&features, &dimmer_kws_features, feature_memory, sizeof feature_memory);
    }
    if (status == DIMMER_OK) {
        status = dimmer_window_init(&window, rows, DIMMER_KWS_ROWS, DIMMER_KWS_COLUMNS, HOP);
    }
    if (status == DIMMER_OK) {
        status =
            dimmer_detector_init(&detector, &dimmer_kws_detector, detector_memory, sizeof detector_memory);
    }
    dimmer_activity_init(&activity, &dimmer_kws_activity);
    return status;
}

/* Behind each row. */
static dimmer_status_t listen(void) {
    const int active = dimmer_activity_push(&activity, features.level);
    dimmer_status_t status;
    int word;

    ++row_count;
    if (!dimmer_window_next(&window)) {
        return DIMMER_OK;
    }
    if (!active) {
        ++left_out;
        return DIMMER_OK;
    }
    dimmer_window_copy(&window, dimmer_input(&network));
    status = dimmer_invoke(&network);
    ++inferences;
    word = dimmer_detector_push(&detector, dimmer_output(&network));
    if (word != DIMMER_NOTHING) {
        printf("row %u: word %d\n", row_count, word);
    }
    return status;
}

int main(void) {
    int16_t samples[PIECE];
    dimmer_status_t status = start();
    size_t got;

    while (status == DIMMER_OK && (got = fread(samples, sizeof samples[0], PIECE, stdin)) > 0u) {
        const int16_t *next = samples;

        while (got > 0u && status == DIMMER_OK) {
            int ready;
            const size_t taken = dimmer_audio_push(&features, next, got, dimmer_window_row(&window), &ready);

            next += taken;
            got -= taken;
            if (ready) {
                status = listen();
            }
        }
    }
    if (status != DIMMER_OK) {
        fprintf(stderr, "error: %s\n", dimmer_status_text(status));
        return 1;
    }
    printf("%u rows, %u inferences, %u left out\n", row_count, inferences, left_out);
    return 0;
}
