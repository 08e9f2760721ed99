/* SPDX-License-Identifier: Apache-2.0 */
/* A front end, a model and a detector over a stream: IN OUT MODE reads samples of 16 bits from IN, and writes
 * of each inference the output and, as int16, what is detected. The generated front end is called "stream".
 */
#include "dimmer.h"
#include "dimmer_model.h"
#include "dimmer_stream_features.h"
#include "platform.h"
#include "text.h"

#define PIECE 160u

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static uint32_t feature_memory[(DIMMER_STREAM_FEATURES_SIZE + 3) / 4];
static uint16_t detector_memory[(DIMMER_STREAM_DETECTOR_SIZE + 1) / 2];
static int8_t rows[DIMMER_STREAM_ROWS * DIMMER_STREAM_COLUMNS];
static int16_t samples[PIECE];

static dimmer_t network;
static dimmer_audio_stream_t features;
static dimmer_window_t window;
static dimmer_detector_stream_t detector;
static text_t text;

static int fail(const char *message) {
    text_begin(&text, "error");
    text_string(&text, "message", message);
    text_end(&text);
    return 1;
}

static uint8_t number_of(const char *word) {
    unsigned number = 0;

    while (*word >= '0' && *word <= '9') {
        number = number * 10u + (unsigned)(*word - '0');
        ++word;
    }
    return (uint8_t)number;
}

static int begin(const char *mode) {
    return dimmer_init(&network, &dimmer_model, arena, sizeof arena) == DIMMER_OK &&
           dimmer_set_mode(&network, number_of(mode)) == DIMMER_OK &&
           dimmer_audio_init(&features, &dimmer_stream_features, feature_memory, sizeof feature_memory) ==
               DIMMER_OK &&
           dimmer_window_init(&window, rows, DIMMER_STREAM_ROWS, DIMMER_STREAM_COLUMNS, STREAM_HOP) ==
               DIMMER_OK &&
           dimmer_detector_init(&detector, &dimmer_stream_detector, detector_memory,
                                sizeof detector_memory) == DIMMER_OK;
}

/* An inference on the newest rows. Returns whether all went well. */
static int infer(int out) {
    int16_t found;

    dimmer_window_copy(&window, dimmer_input(&network));
    if (dimmer_invoke(&network) != DIMMER_OK) {
        return 0;
    }
    found = (int16_t)dimmer_detector_push(&detector, dimmer_output(&network));
    return platform_write(out, dimmer_output(&network), DIMMER_MODEL_OUTPUT_SIZE) ==
               DIMMER_MODEL_OUTPUT_SIZE &&
           platform_write(out, &found, sizeof found) == sizeof found;
}

int main(int argc, char **argv) {
    const char *words[4];
    const int count = platform_arguments(argc, argv, words, 4);
    int in;
    int out;
    size_t got;

    if (count < 3 || !begin(words[2])) {
        return fail("IN OUT MODE, and memory for all of it");
    }
    in = platform_open(words[0], PLATFORM_READ);
    out = platform_open(words[1], PLATFORM_WRITE);
    if (in < 0 || out < 0) {
        return fail("a file cannot be opened");
    }
    while ((got = platform_read(in, samples, sizeof samples) / sizeof samples[0]) > 0u) {
        const int16_t *next = samples;

        while (got > 0u) {
            int ready;
            const size_t taken = dimmer_audio_push(&features, next, got, dimmer_window_row(&window), &ready);

            next += taken;
            got -= taken;
            if (ready && dimmer_window_next(&window) && !infer(out)) {
                return fail("an inference failed");
            }
        }
    }
    (void)platform_close(in);
    return platform_close(out) == 0 ? 0 : fail("the results cannot be written");
}
