/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz FOLDER ROUNDS SEED: damaged files of images, streams of packed frames and batteries. Under the
 * sanitizers nothing may go wrong; of a stream every whole frame comes out, in order, and nothing else. Exits
 * 1 with the round where not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "battery.h"
#include "dimmer.h"
#include "frames.h"

#define SIZE 60u
#define MOST 8192u

static uint64_t state;

static uint32_t next_random(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(data, 1u, size, file) != size || fclose(file) != 0) {
        fprintf(stderr, "%s cannot be written\n", path);
        exit(2);
    }
}

static void put_word(uint8_t *to, uint32_t value) {
    unsigned i;

    for (i = 0u; i < 4u; ++i) {
        to[i] = (uint8_t)(value >> 8u * i);
    }
}

static void put_frame(uint8_t frame[FRAMES_HEADER + SIZE]) {
    unsigned i;

    for (i = 0u; i < SIZE; ++i) {
        /* Pixels that look like headers are what can go wrong. */
        frame[FRAMES_HEADER + i] =
            next_random(3u) == 0u ? (uint8_t)"DMF1"[i % 4u] : (uint8_t)next_random(256u);
    }
    /* So that what one frame lacks at its end is not by chance what the next begins with. */
    frame[FRAMES_HEADER + SIZE - 1u] = 0xAAu;
    memcpy(frame, "DMF1", 4u);
    put_word(frame + 4, SIZE);
    put_word(frame + 8, dimmer_crc32(0u, frame + FRAMES_HEADER, SIZE));
}

static int stream(const char *path) {
    static uint8_t bytes[MOST];
    static uint8_t whole[MOST];
    const frame_shape_t shape = {4u, 5u, 3u};
    char why[DIMMER_MESSAGE] = "";
    int8_t codes[SIZE];
    frames_t frames;
    size_t size = 0u;
    size_t count = 0u;
    size_t got = 0u;
    unsigned pieces = next_random(20u);
    unsigned i;

    while (pieces-- > 0u) {
        uint8_t frame[FRAMES_HEADER + SIZE];
        size_t length = sizeof frame;

        put_frame(frame);
        switch (next_random(5u)) {
        case 0u: /* a writer that died */
            length = next_random((uint32_t)sizeof frame);
            break;
        case 1u: /* a bit that flipped */
            frame[next_random((uint32_t)sizeof frame)] ^= (uint8_t)(1u << next_random(8u));
            break;
        case 2u: /* of another size */
            put_word(frame + 4, next_random(2u) ? SIZE + 1u : UINT32_MAX);
            break;
        default:
            memcpy(whole + count++ * SIZE, frame + FRAMES_HEADER, SIZE);
        }
        memcpy(bytes + size, frame, length);
        size += length;
    }
    write_file(path, bytes, size);
    if (!frames_open(&frames, path, FRAMES_PACKED, shape, why)) {
        return 0;
    }
    while (frames_next(&frames, codes, why) == 1) {
        for (i = 0u; i < SIZE; ++i) {
            if (got == count || (uint8_t)((uint8_t)codes[i] ^ 0x80u) != whole[got * SIZE + i]) {
                got = count + 1u;
                break;
            }
        }
        if (got > count) {
            break;
        }
        ++got;
    }
    i = frames.lost + got * (FRAMES_HEADER + SIZE) == size;
    frames_close(&frames);
    return i && got == count;
}

static void image(const char *folder) {
    static const char *const names[] = {"a.npy", "a.ppm", "a.pgm", "a.u8", "a.i8"};
    static const char *const starts[] = {
        "\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (2, 4, 5, 3), }",
        "P6 5 4 255 ", "P5\n# c\n5 4\n255\n", "", ""};
    const unsigned kind = next_random(5u);
    const frame_shape_t shape = {4u, 5u, kind == 2u ? 1u : 3u};
    uint8_t bytes[256] = {0};
    char path[2048];
    char why[DIMMER_MESSAGE];
    int8_t codes[SIZE];
    frames_t frames;
    unsigned flips = next_random(6u);

    memcpy(bytes, starts[kind], kind == 0u ? 71u : strlen(starts[kind]));
    while (flips-- > 0u) {
        bytes[next_random(80u)] = (uint8_t)next_random(256u);
    }
    snprintf(path, sizeof path, "%s/%s", folder, names[kind]);
    write_file(path, bytes, next_random(sizeof bytes));
    if (frames_open(&frames, path, FRAMES_AUTO, shape, why)) {
        while (frames_next(&frames, codes, why) == 1) {
        }
        frames_close(&frames);
    }
}

static int battery(const char *folder) {
    static const char *const names[] = {"type",        "status",      "charge_now", "charge_full",
                                        "energy_now",  "energy_full", "capacity",   "voltage_now",
                                        "current_now", "name",        "in1_input"};
    static const char *const values[] = {"Battery",
                                         "Charging",
                                         "ina3221",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "99999999999999999999999",
                                         "-1",
                                         "0",
                                         "1",
                                         "1000",
                                         "3700000",
                                         "50",
                                         "x",
                                         "",
                                         "4 2",
                                         "\xff\xfe",
                                         "1e9"};
    char path[2048];
    char why[DIMMER_MESSAGE];
    dimmer_battery_t now = {0};
    battery_source_t source = {folder, next_random(4u), (uint16_t)next_random(65536u),
                               (uint16_t)next_random(65536u)};
    unsigned i;

    for (i = 0u; i < sizeof names / sizeof *names; ++i) {
        const char *value = values[next_random(sizeof values / sizeof *values)];

        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (i == 0u || next_random(4u) != 0u) {
            value = i == 0u && next_random(2u) ? "Battery" : value;
            write_file(path, value, strlen(value));
        } else {
            (void)remove(path);
        }
    }
    if (!battery_read(&source, &now, why)) {
        return strchr(why, '\n') == NULL && why[0] != '\0';
    }
    return now.charge_permille <= 1000u;
}

int main(int argc, char **argv) {
    char path[2048];
    char supply[1024];
    long rounds;
    long i;

    if (argc != 4) {
        return 2;
    }
    state = strtoull(argv[3], NULL, 10) * 2u + 1u;
    rounds = strtol(argv[2], NULL, 10);
    snprintf(path, sizeof path, "%s/stream", argv[1]);
    snprintf(supply, sizeof supply, "%s/supply", argv[1]);
    (void)mkdir(supply, 0755);
    for (i = 0; i < rounds; ++i) {
        image(argv[1]);
        if (!stream(path)) {
            printf("round %ld: the stream's frames\n", i);
            return 1;
        }
        if (!battery(supply)) {
            printf("round %ld: the battery\n", i);
            return 1;
        }
    }
    return 0;
}
