/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a file of samples, pieces of `piece` samples at a time, and writes what a front end makes of them:
 *   audio|sensor|image|detector|activity IN OUT PIECE; audio-time alone counts what a second takes.
 * The front end is the generated one of the model "tested". */
#include <stdlib.h>
#include <string.h>

#include "dimmer_tested_features.h"
#include "platform.h"
#include "tested.h"

#define PIECE 2048u

#if defined(TEST_AUDIO)
static int16_t samples[PIECE];
static uint32_t memory[DIMMER_TESTED_FEATURES_SIZE / 4u];
static int8_t rows[DIMMER_TESTED_ROWS * DIMMER_TESTED_COLUMNS];
static int8_t input[DIMMER_TESTED_ROWS * DIMMER_TESTED_COLUMNS];
static dimmer_audio_stream_t stream;
static dimmer_window_t window;

/* A recording of so many samples, each of which is the start of another stream, and all rows of the last
 * window. */
static int run(int in, int out, size_t piece) {
    int due = 0;
    size_t got;

    if (dimmer_audio_init(&stream, &dimmer_tested_features, memory, sizeof memory - 4u) !=
            DIMMER_ERR_ARENA_SIZE ||
        dimmer_audio_init(&stream, &dimmer_tested_features, memory, sizeof memory) != DIMMER_OK ||
        dimmer_window_init(&window, rows, DIMMER_TESTED_ROWS, DIMMER_TESTED_COLUMNS, 1) != DIMMER_OK) {
        return 1;
    }
    while ((got = platform_read(in, samples, 2u * piece) / 2u) > 0u) {
        const int16_t *next = samples;

        while (got > 0u) {
            int ready;
            int8_t *row = dimmer_window_row(&window);
            const size_t taken = dimmer_audio_push(&stream, next, got, row, &ready);

            next += taken;
            got -= taken;
            if (ready) {
                (void)platform_write(out, row, DIMMER_TESTED_COLUMNS);
                (void)platform_write(out, &stream.level, 4u);
                due |= dimmer_window_next(&window);
            }
        }
    }
    if (due) {
        dimmer_window_copy(&window, input);
        (void)platform_write(out, input, sizeof input);
    }
    return 0;
}

static int time_it(void) {
    uint32_t random = 1;
    size_t left = DIMMER_TESTED_RATE;
    size_t i;
    int ready;

    for (i = 0; i < PIECE; ++i) {
        random = random * 1664525u + 1013904223u;
        samples[i] = (int16_t)(random >> 18);
    }
    if (dimmer_audio_init(&stream, &dimmer_tested_features, memory, sizeof memory) != DIMMER_OK) {
        return 1;
    }
    (void)platform_start_counter();
    (void)platform_ticks();
    while (left > 0u) {
        left -= dimmer_audio_push(&stream, samples, left < 160u ? left : 160u, rows, &ready);
    }
    (void)platform_ticks();
    return 0;
}
#elif defined(TEST_SENSOR)
static int16_t samples[PIECE];
static uint32_t memory[DIMMER_TESTED_FEATURES_SIZE / 4u + 1u];
static int8_t rows[DIMMER_TESTED_ROWS * DIMMER_TESTED_COLUMNS];
static int8_t input[DIMMER_TESTED_ROWS * DIMMER_TESTED_COLUMNS];
static dimmer_sensor_stream_t stream;
static dimmer_window_t window;

/* Every input that is due. */
static int run(int in, int out, size_t piece) {
    if (dimmer_sensor_init(&stream, &dimmer_tested_features, memory, sizeof memory) != DIMMER_OK ||
        dimmer_window_init(&window, rows, DIMMER_TESTED_ROWS, DIMMER_TESTED_COLUMNS, DIMMER_TESTED_HOP) !=
            DIMMER_OK) {
        return 1;
    }
    (void)piece;
    while (platform_read(in, samples, 2u * DIMMER_TESTED_COLUMNS) == 2u * DIMMER_TESTED_COLUMNS) {
        if (dimmer_sensor_push(&stream, samples, dimmer_window_row(&window)) && dimmer_window_next(&window)) {
            dimmer_window_copy(&window, input);
            (void)platform_write(out, input, sizeof input);
        }
    }
    return 0;
}
#elif defined(TEST_IMAGE)
static uint8_t line[2u * DIMMER_TESTED_CAMERA_WIDTH];
static uint32_t memory[DIMMER_TESTED_FEATURES_SIZE / 4u];
static int8_t input[TEST_IMAGE];
static dimmer_image_stream_t stream;

static int run(int in, int out, size_t piece) {
    int complete = 0;

    if (dimmer_image_init(&stream, &dimmer_tested_features, memory, sizeof memory) != DIMMER_OK) {
        return 1;
    }
    for (; piece > 0u; --piece) {
        unsigned y;

        dimmer_image_reset(&stream);
        complete = 0;
        for (y = 0; y < DIMMER_TESTED_CAMERA_HEIGHT; ++y) {
            (void)platform_read(in, line, sizeof line);
            complete += dimmer_image_push(&stream, line, input);
        }
        if (complete != 1) {
            return 2;
        }
        (void)platform_write(out, input, sizeof input);
    }
    return 0;
}
#else
static int8_t scores[TEST_CLASSES];
static uint16_t memory[DIMMER_TESTED_DETECTOR_SIZE / 2u + 1u];
static dimmer_detector_stream_t stream;
static dimmer_activity_stream_t gate;

/* Of each inference what is detected, and whether the gate is open at the level of its first score. */
static int run(int in, int out, size_t piece) {
    (void)piece;
    if (dimmer_detector_init(&stream, &dimmer_tested_detector, memory, sizeof memory) != DIMMER_OK) {
        return 1;
    }
    dimmer_activity_init(&gate, &dimmer_tested_activity);
    while (platform_read(in, scores, sizeof scores) == sizeof scores) {
        int8_t said[2];

        said[0] = (int8_t)dimmer_detector_push(&stream, scores);
        said[1] = (int8_t)dimmer_activity_push(&gate, scores[0] * 1000);
        (void)platform_write(out, said, sizeof said);
    }
    return 0;
}
#endif

int main(int argc, char **argv) {
    const char *words[4];
    int in;
    int out;
    int failed;

    if (platform_arguments(argc, argv, words, 4) < 3) {
#if defined(TEST_AUDIO)
        return time_it();
#else
        return 9;
#endif
    }
    in = platform_open(words[0], PLATFORM_READ);
    out = platform_open(words[1], PLATFORM_WRITE);
    if (in < 0 || out < 0) {
        return 8;
    }
    failed = run(in, out, (size_t)atoi(words[2]));
    return platform_close(out) != 0 || failed ? 7 : 0;
}
