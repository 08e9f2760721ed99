/* SPDX-License-Identifier: Apache-2.0 */
#include "winograd.h"

/* The weights' transform is scaled by 24 in either direction, so what comes out is 576 times the sum, modulo
 * 2^32. A multiplication with the inverse of 9 leaves 64 times the sum, and a shift the sum, which the
 * generator has proven to be below 2^25. */
#define SIDE         ((int)DIMMER_WINOGRAD_SIDE)
#define TAPS         3
#define POINTS       ((int)DIMMER_WINOGRAD_POINTS)
#define INVERSE_OF_9 0x38E38E39u

/* Rows: 6 0 0; 1 1 1; 1 -1 1; 1 2 4; 1 -2 4; 0 0 3. */
void dimmer_winograd_weights(const int8_t *weights, size_t channels, int32_t *to) {
    const int8_t *const end = weights + channels;

    for (; weights != end; ++weights, ++to) {
        const int8_t *from = weights;
        int32_t *next = to;
        int32_t t[TAPS][POINTS];
        int i;

        for (i = 0; i < TAPS; ++i) {
            const int32_t a = from[0];
            const int32_t b = from[TAPS * channels];
            const int32_t c = from[2u * TAPS * channels];
            const int32_t odd = a + c;
            const int32_t twice = a + 4 * c;

            t[i][0] = 6 * a;
            t[i][1] = odd + b;
            t[i][2] = odd - b;
            t[i][3] = twice + 2 * b;
            t[i][4] = twice - 2 * b;
            t[i][5] = 3 * c;
            from += channels;
        }
        for (i = 0; i < POINTS; ++i) {
            const int32_t a = t[0][i];
            const int32_t b = t[1][i];
            const int32_t c = t[2][i];
            const int32_t odd = a + c;
            const int32_t twice = a + 4 * c;

            *next = 6 * a;
            next += channels;
            *next = odd + b;
            next += channels;
            *next = odd - b;
            next += channels;
            *next = twice + 2 * b;
            next += channels;
            *next = twice - 2 * b;
            next += channels;
            *next = 3 * c;
            next += channels;
        }
    }
}

/* Rows: 4 0 -5 0 1 0; 0 -4 -4 1 1 0; 0 4 -4 -1 1 0; 0 -2 -1 2 1 0; 0 2 -1 -2 1 0; 0 4 0 -5 0 1. */
void dimmer_winograd_input(const int8_t *from, size_t row, size_t channels, int32_t *to) {
    const size_t plane = DIMMER_PANEL_PIXELS * channels;
    const int8_t *const end = from + channels;

    for (; from != end; ++from, to += DIMMER_PANEL_PIXELS) {
        const int8_t *at = from;
        int32_t *next = to;
        int32_t t[POINTS][POINTS];
        int i;

        for (i = 0; i < POINTS; ++i) {
            const int8_t *x = at;
            const int32_t x0 = *x;
            const int32_t x1 = *(x += row);
            const int32_t x2 = *(x += row);
            const int32_t x3 = *(x += row);
            const int32_t x4 = *(x += row);
            const int32_t x5 = *(x += row);
            const int32_t even = x4 - 4 * x2;
            const int32_t odd = x3 - 4 * x1;
            const int32_t outer = x4 - x2;
            const int32_t inner = x3 - x1;

            t[0][i] = outer + 4 * (x0 - x2);
            t[1][i] = even + odd;
            t[2][i] = even - odd;
            t[3][i] = outer + 2 * inner;
            t[4][i] = outer - 2 * inner;
            t[5][i] = (x5 - x3) - 4 * inner;
            at += channels;
        }
        for (i = 0; i < POINTS; ++i) {
            const int32_t even = t[i][4] - 4 * t[i][2];
            const int32_t odd = t[i][3] - 4 * t[i][1];
            const int32_t outer = t[i][4] - t[i][2];
            const int32_t inner = t[i][3] - t[i][1];

            *next = outer + 4 * (t[i][0] - t[i][2]);
            next += plane;
            *next = even + odd;
            next += plane;
            *next = even - odd;
            next += plane;
            *next = outer + 2 * inner;
            next += plane;
            *next = outer - 2 * inner;
            next += plane;
            *next = (t[i][5] - t[i][3]) - 4 * inner;
            next += plane;
        }
    }
}

/* 24 times the transform back is, with the weights' scales taken out:
 * 1 -4 -4 1 1 0; 0 -4 4 2 -2 0; 0 -4 -4 4 4 0; 0 -4 4 8 -8 8. */
#define BACK(m, to)                                                                                          \
    {                                                                                                        \
        const uint32_t s1 = m(1) + m(2);                                                                     \
        const uint32_t d1 = m(1) - m(2);                                                                     \
        const uint32_t s2 = m(3) + m(4);                                                                     \
        const uint32_t d2 = m(3) - m(4);                                                                     \
        const uint32_t last = 8u * (d2 + m(5)) - 4u * d1;                                                    \
        to(0) = m(0) + s2 - 4u * s1;                                                                         \
        to(1) = 2u * d2 - 4u * d1;                                                                           \
        to(2) = 4u * (s2 - s1);                                                                              \
        to(3) = last;                                                                                        \
    }

void dimmer_winograd_back(const int32_t *sums, const dimmer_rescale_t *rescale,
                          const dimmer_winograd_output_t *output, const dimmer_winograd_tile_t *tile,
                          uint32_t channel) {
    uint32_t t[POINTS * SIDE];
    uint32_t *row = t;
    int8_t *to = tile->output + channel;
    const uint32_t *const end = t + POINTS * SIDE;
    const uint32_t *y = t;

    for (; row != end; row += SIDE, sums += DIMMER_WINOGRAD_POINTS * DIMMER_PANEL_PIXELS) {
#define SUM(k)  ((uint32_t)sums[(k) * (int)DIMMER_PANEL_PIXELS])
#define KEPT(k) row[k]
        BACK(SUM, KEPT)
    }
    for (row = t; row != t + SIDE; ++row) {
#define IN(k) row[(k) * SIDE]
        BACK(IN, IN)
    }
    {
        const uint32_t bias = (uint32_t)rescale->bias;
        const int32_t multiplier = rescale->multiplier;
        const int32_t start = rescale->start;
        const int32_t shift = rescale->shift;
        const int32_t low = output->low;
        const int32_t high = output->high;
        const size_t channels = output->channels;
        const size_t bytes = tile->columns * channels;
        const size_t next = output->row - bytes;
        const uint32_t skipped = DIMMER_WINOGRAD_SIDE - tile->columns;
        uint32_t rows;

        for (rows = tile->rows; rows != 0u; --rows, y += skipped, to += next) {
            const int8_t *const stop = to + bytes;

            for (; to != stop; to += channels) {
                const int32_t doubled = (int32_t)((uint32_t)((int32_t)(*y++ * INVERSE_OF_9) >> 5) + bias);

                *to = dimmer_clamp_s8(dimmer_rescale(doubled, multiplier, start, shift), low, high);
            }
        }
    }
}
