/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops, which exist once in C and once in assembly, against their definitions: every length,
 * every alignment, extreme and random values. */
#include "kernels/common/dot.h"
#include "kernels/common/walk.h"

#define LONGEST 70u
#define SIDE    3u

static uint32_t state = 1u;

static int8_t next_value(void) {
    static const int8_t extremes[4] = {-128, 127, -1, 0};

    state = state * 1664525u + 1013904223u;
    return (state >> 28) < 5u ? extremes[(state >> 24) & 3u] : (int8_t)(state >> 16);
}

static void fill(int8_t *values, uint32_t count) {
    while (count-- != 0u) {
        *values++ = next_value();
    }
}

static int dot_is_wrong(uint32_t count, uint32_t shift) {
    static int8_t data[4][LONGEST + 4u];
    const int8_t *a[2];
    const int8_t *b[2];
    int32_t sums[4] = {-70000, 0, 5, 123456};
    int32_t expected[4] = {-70000, 0, 5, 123456};
    uint32_t i;
    uint32_t k;

    fill(data[0], sizeof data);
    a[0] = data[0] + (shift & 3u);
    a[1] = data[1] + ((shift >> 2) & 3u);
    b[0] = data[2] + ((shift >> 4) & 3u);
    b[1] = data[3] + ((shift + 1u) & 3u);
    for (i = 0; i < 4u; ++i) {
        for (k = 0; k < count; ++k) {
            expected[i] += a[i >> 1][k] * b[i & 1u][k];
        }
    }
    dimmer_dot_2x2(a[0], a[1], b[0], b[1], count, sums);
    for (i = 0; i < 4u; ++i) {
        if (sums[i] != expected[i]) {
            return 1;
        }
    }
    return 0;
}

static int row_is_wrong(uint32_t count, uint32_t shift) {
    static int8_t weights[4u * LONGEST + 4u];
    static int8_t x[LONGEST + 4u];
    int32_t sums[4] = {-70000, 0, 5, 123456};
    int32_t expected[4] = {-70000, 0, 5, 123456};
    uint32_t i;
    uint32_t k;

    fill(weights, sizeof weights);
    fill(x, sizeof x);
    for (i = 0; i < 4u; ++i) {
        for (k = 0; k < count; ++k) {
            expected[i] += weights[(shift & 3u) + i * count + k] * x[(shift >> 2) + k];
        }
    }
    dimmer_dot_1x4(weights + (shift & 3u), x + (shift >> 2), count, sums);
    for (i = 0; i < 4u; ++i) {
        if (sums[i] != expected[i]) {
            return 1;
        }
    }
    return 0;
}

static int walk_is_wrong(uint32_t columns, uint32_t rows, uint32_t channels, uint32_t dilation) {
    static int8_t image[SIDE * 2u * SIDE * 2u * 9u];
    static int8_t weights[SIDE * SIDE * 9u];
    dimmer_walk_t walk;
    int32_t sums[4] = {9, -9, 1000000, -1000000};
    int32_t expected[4] = {9, -9, 1000000, -1000000};
    uint32_t i;
    uint32_t y;
    uint32_t x;

    fill(image, sizeof image);
    fill(weights, sizeof weights);
    walk.step = dilation * channels;
    walk.next_row = dilation * 2u * SIDE * channels;
    walk.channels = channels;
    walk.next_weights = SIDE * channels;
    walk.length = columns * channels;
    walk.rows = rows;
    for (i = 0; i < 4u; ++i) {
        for (y = 0; y < rows; ++y) {
            for (x = 0; x < columns; ++x) {
                expected[i] += image[y * walk.next_row + x * walk.step + i + channels - 4u] *
                               weights[(y * SIDE + x) * channels + i + channels - 4u];
            }
        }
    }
    dimmer_walk_four(&walk, image + channels - 4u, weights + channels - 4u, sums);
    for (i = 0; i < 4u; ++i) {
        if (sums[i] != expected[i]) {
            return 1;
        }
    }
    return 0;
}

int main(void) {
    uint32_t i;
    uint32_t k;

    for (i = 0; i <= LONGEST; ++i) {
        for (k = 0; k < 64u; ++k) {
            if (dot_is_wrong(i, k) || row_is_wrong(i, k & 15u)) {
                return 1;
            }
        }
    }
    for (i = 0; i < (SIDE + 1u) * (SIDE + 1u) * 6u * 2u; ++i) {
        if (walk_is_wrong(i % (SIDE + 1u), i / (SIDE + 1u) % (SIDE + 1u), 4u + i / 16u % 6u, 1u + i / 96u)) {
            return 1;
        }
    }
    return 0;
}
