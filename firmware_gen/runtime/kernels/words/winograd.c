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
void dimmer_winograd_weights(const int8_t *weights, size_t channels, size_t plane,
                             dimmer_winograd_word_t *to) {
    const int8_t *const end = weights + channels;

    for (; weights != end; ++weights, ++to) {
        const int8_t *from = weights;
        dimmer_winograd_word_t *next = to;
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

            *next = (dimmer_winograd_word_t)(6 * a);
            next += plane;
            *next = (dimmer_winograd_word_t)(odd + b);
            next += plane;
            *next = (dimmer_winograd_word_t)(odd - b);
            next += plane;
            *next = (dimmer_winograd_word_t)(twice + 2 * b);
            next += plane;
            *next = (dimmer_winograd_word_t)(twice - 2 * b);
            next += plane;
            *next = (dimmer_winograd_word_t)(3 * c);
            next += plane;
        }
    }
}

#if !defined(__thumb__) || defined(__thumb2__)

/* Rows: 4 0 -5 0 1 0; 0 -4 -4 1 1 0; 0 4 -4 -1 1 0; 0 -2 -1 2 1 0; 0 2 -1 -2 1 0; 0 4 0 -5 0 1. */
void dimmer_winograd_input(const int8_t *from, size_t row, size_t channels, size_t plane,
                           dimmer_winograd_word_t *to) {
    const size_t space = DIMMER_PANEL_PIXELS * plane;
    const int8_t *const end = from + channels;

    for (; from != end; ++from, to += DIMMER_PANEL_PIXELS) {
        const int8_t *at = from;
        dimmer_winograd_word_t *next = to;
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

            *next = (dimmer_winograd_word_t)(outer + 4 * (t[i][0] - t[i][2]));
            next += space;
            *next = (dimmer_winograd_word_t)(even + odd);
            next += space;
            *next = (dimmer_winograd_word_t)(even - odd);
            next += space;
            *next = (dimmer_winograd_word_t)(outer + 2 * inner);
            next += space;
            *next = (dimmer_winograd_word_t)(outer - 2 * inner);
            next += space;
            *next = (dimmer_winograd_word_t)((t[i][5] - t[i][3]) - 4 * inner);
            next += space;
        }
    }
}

#endif

#if !defined(__thumb__)

static void one_channel(const int16_t *weights, const int16_t *from, uint32_t length, int32_t *sums) {
    const int16_t *const end = weights + length;
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;

    for (; weights != end; ++weights, from += DIMMER_PANEL_PIXELS) {
        const int32_t w = *weights;

        s0 = (int32_t)((uint32_t)s0 + (uint32_t)(w * from[0]));
        s1 = (int32_t)((uint32_t)s1 + (uint32_t)(w * from[1]));
        s2 = (int32_t)((uint32_t)s2 + (uint32_t)(w * from[2]));
        s3 = (int32_t)((uint32_t)s3 + (uint32_t)(w * from[3]));
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

void dimmer_winograd_panel(const dimmer_winograd_word_t *weights, const dimmer_winograd_word_t *inputs,
                           uint32_t channels, uint32_t plane, int32_t *sums) {
    const size_t step = DIMMER_WINOGRAD_PLANES * plane;
    const dimmer_winograd_word_t *const end = weights + step;

    for (; weights != end;
         weights += plane, inputs += DIMMER_PANEL_PIXELS * plane, sums += DIMMER_WINOGRAD_SPACE) {
        uint32_t channel;

#if defined(DIMMER_PANEL_HAS_FOUR)
        if (channels == DIMMER_WINOGRAD_CHANNELS) {
            dimmer_panel_halves_four(weights, inputs, weights + plane, sums, sizeof *weights * step);
            continue;
        }
#endif
        for (channel = 0; channel < channels; ++channel) {
            one_channel(weights + channel * step, inputs, plane, sums + channel * DIMMER_PANEL_PIXELS);
        }
    }
}

#else

void dimmer_winograd_panel(const dimmer_winograd_word_t *weights, const dimmer_winograd_word_t *inputs,
                           uint32_t channels, uint32_t plane, int32_t *sums) {
    (void)channels;
    dimmer_panel(weights, inputs, DIMMER_WINOGRAD_PLANES, plane, sums, DIMMER_PANEL_PIXELS * plane);
}

#endif

#if !defined(__thumb__) || defined(__thumb2__)

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

void dimmer_winograd_products(const int32_t *sums, uint32_t *to) {
    uint32_t *row = to;
    uint32_t i;

    for (i = 0; i < DIMMER_WINOGRAD_POINTS; ++i, row += SIDE) {
#define SUM(k)  ((uint32_t)sums[(k) * (int)DIMMER_WINOGRAD_SPACE])
#define KEPT(k) row[k]
        BACK(SUM, KEPT)
        sums += DIMMER_WINOGRAD_POINTS * DIMMER_WINOGRAD_SPACE;
    }
    for (i = 0, row = to; i < DIMMER_WINOGRAD_SIDE; ++i, ++row) {
#define IN(k) row[(k) * SIDE]
        BACK(IN, IN)
    }
}

#endif

#if !defined(__thumb__)

void dimmer_winograd_store_small(const uint32_t *products, const dimmer_winograd_store_t *store) {
    const uint32_t *const end = products + SIDE * store->rows;
    int8_t *to = store->output;

    for (; products != end; products += SIDE, to += store->next) {
        uint32_t x;

        for (x = 0; x < store->columns; ++x, to += store->channels) {
            const int32_t sum = (int32_t)(products[x] * INVERSE_OF_9) >> 6;

            *to = dimmer_clamp_s8(dimmer_small(dimmer_small_saturated(sum + store->bias), &store->rescale),
                                  INT8_MIN, INT8_MAX);
        }
    }
}

#endif

/* The products of a tile, rescaled and saturated as its channel's numbers say. */
static void store(const uint32_t *products, const dimmer_winograd_output_t *output,
                  const dimmer_winograd_tile_t *tile, uint32_t channel) {
    const dimmer_rescale_t *const rescale = output->rescales + channel;
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
    const uint32_t *y = products;
    int8_t *to = tile->output + channel;
    uint32_t rows;

    for (rows = tile->rows; rows != 0u; --rows, y += skipped, to += next) {
        const int8_t *const stop = to + bytes;

        for (; to != stop; to += channels) {
            const int32_t doubled = (int32_t)((uint32_t)((int32_t)(*y++ * INVERSE_OF_9) >> 5) + bias);

            *to = dimmer_clamp_s8(dimmer_rescale(doubled, multiplier, start, shift), low, high);
        }
    }
}

void dimmer_winograd_back(const int32_t *sums, const dimmer_winograd_output_t *output,
                          const dimmer_winograd_tile_t *tiles, uint32_t count, uint32_t channel) {
    const dimmer_winograd_tile_t *const end = tiles + count;
    uint32_t products[POINTS * SIDE];

    if (output->smalls != NULL) {
        const dimmer_panel_small_t *const small = output->smalls + channel;
        dimmer_winograd_store_t shared = {small->rescale, small->bias, output->channels, 0u, NULL, 0u, 0u};

        for (; tiles != end; ++tiles) {
            dimmer_winograd_products(sums++, products);
            shared.next = output->row - tiles->columns * output->channels;
            shared.output = tiles->output + channel;
            shared.columns = tiles->columns;
            shared.rows = tiles->rows;
            dimmer_winograd_store_small(products, &shared);
        }
    } else {
        for (; tiles != end; ++tiles) {
            dimmer_winograd_products(sums++, products);
            store(products, output, tiles, channel);
        }
    }
}
