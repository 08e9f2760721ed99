/* SPDX-License-Identifier: Apache-2.0 */
#include "packed.h"

#define INVERSE_OF_3 0xAAAAAAABu

/* Codes begin at -128, or 0x80. */
#define PAIR(i, s) ((uint32_t)a[i] + ((uint32_t)b[i] << (s)))
#define FOUR(i, s) (PAIR(i, s) + (((uint32_t)c[i] + ((uint32_t)d[i] << (s))) << (2 * (s))))
#define ZEROS_2(s) (0x80u + (0x80u << (s)))
#define ZEROS_4(s) (ZEROS_2(s) + (ZEROS_2(s) << (2 * (s))))

#define COLUMNS(WORD, ZEROS, s, NEXT)                                                                        \
    for (; columns != 0u; --columns, to += column) {                                                         \
        const uint8_t *const end = a + channels;                                                             \
        int32_t *next = to;                                                                                  \
                                                                                                             \
        for (; a != end; a += 4, b += 4, next += 16) {                                                       \
            next[0] = (int32_t)(WORD(0, s) - ZEROS(s));                                                      \
            next[4] = (int32_t)(WORD(1, s) - ZEROS(s));                                                      \
            next[8] = (int32_t)(WORD(2, s) - ZEROS(s));                                                      \
            next[12] = (int32_t)(WORD(3, s) - ZEROS(s));                                                     \
            NEXT                                                                                             \
        }                                                                                                    \
    }

void dimmer_packed_inputs(const dimmer_packed_form_t *form, const int8_t *const from[DIMMER_PACKED_ROWS],
                          uint32_t columns, uint32_t channels, int32_t *to, size_t column) {
    const uint8_t *a = (const uint8_t *)from[0];
    const uint8_t *b = (const uint8_t *)from[1];

    if (form->rows == 2u) {
        if (form->planes == 1u) {
            COLUMNS(PAIR, ZEROS_2, 16, )
        } else {
            COLUMNS(PAIR, ZEROS_2, 14, )
        }
    } else {
        const uint8_t *c = (const uint8_t *)from[2];
        const uint8_t *d = (const uint8_t *)from[3];

        if (form->planes == 1u) {
            COLUMNS(FOUR, ZEROS_4, 8, c += 4; d += 4;)
        } else {
            COLUMNS(FOUR, ZEROS_4, 7, c += 4; d += 4;)
        }
    }
}

/* Rows: 4 0 -5 0 1 0; 0 -4 -4 1 1 0; 0 4 -4 -1 1 0; 0 -2 -1 2 1 0; 0 2 -1 -2 1 0; 0 4 0 -5 0 1. */
void dimmer_packed_transform(int32_t *at, uint32_t channels, size_t plane) {
    int32_t *const end = at + DIMMER_PANEL_PIXELS * channels;

    for (; at != end; at += DIMMER_PANEL_PIXELS) {
        uint32_t *x = (uint32_t *)at;
        const uint32_t x0 = *x;
        const uint32_t x1 = *(x += plane);
        const uint32_t x2 = *(x += plane);
        const uint32_t x3 = *(x += plane);
        const uint32_t x4 = *(x += plane);
        const uint32_t x5 = *(x += plane);
        const uint32_t even = x4 - 4u * x2;
        const uint32_t odd = x3 - 4u * x1;
        const uint32_t outer = x4 - x2;
        const uint32_t inner = 2u * (x3 - x1);

        *x = (x5 - x3) - 2u * inner;
        x -= plane;
        *x = outer - inner;
        x -= plane;
        *x = outer + inner;
        x -= plane;
        *x = even - odd;
        x -= plane;
        *x = even + odd;
        x -= plane;
        *x = outer + 4u * (x0 - x2);
    }
}

/* The sums of the rows of a word, from bit `behind` on, to every fourth word. */
static inline void split(uint32_t first, uint32_t second, const dimmer_packed_form_t *form, uint32_t behind,
                         uint32_t *to) {
    if (form->rows == 2u) {
        to[0] = first >> behind;
        to[4] = second >> behind;
    } else {
        const uint32_t lane = 2u * form->spacing;
        const uint32_t mask = ((uint32_t)1 << lane) - 1u;

        to[0] = (first >> behind) & mask;
        to[4] = (second >> behind) & mask;
        to[8] = first >> (lane + behind);
        to[12] = second >> (lane + behind);
    }
}

/* 24 times the transform back is, with the weights' scales taken out:
 * 1 -4 -4 1 1 0; 0 -4 4 2 -2 0; 0 -4 -4 4 4 0; 0 -4 4 8 -8 8. */
static void sums_of(const dimmer_packed_form_t *form, const int32_t *sums, uint32_t offset, uint32_t *to) {
    const uint32_t spacing = form->spacing;
    const uint32_t mask = form->mask;
    const size_t plane = form->plane;
    uint32_t chunks = form->chunks;
    uint32_t a0 = 0;
    uint32_t a1 = 0;
    uint32_t a2 = 0;
    uint32_t a3 = 0;
    uint32_t b0 = 0;
    uint32_t b1 = 0;
    uint32_t b2 = 0;
    uint32_t b3 = 0;

#define ADD(a, b, sum)                                                                                       \
    {                                                                                                        \
        const uint32_t word = (sum) + offset;                                                                \
                                                                                                             \
        a += word & mask;                                                                                    \
        b += (word >> spacing) & mask;                                                                       \
    }
    if (form->planes == 1u) {
        for (; chunks != 0u; --chunks, sums += plane) {
            ADD(a0, b0, (uint32_t)sums[0])
            ADD(a1, b1, (uint32_t)sums[1])
            ADD(a2, b2, (uint32_t)sums[2])
            ADD(a3, b3, (uint32_t)sums[3])
        }
    } else {
        for (; chunks != 0u; --chunks, sums += plane) {
            const uint32_t m0 = (uint32_t)*sums;
            const uint32_t m1 = (uint32_t)*(sums += plane);
            const uint32_t m2 = (uint32_t)*(sums += plane);
            const uint32_t m3 = (uint32_t)*(sums += plane);
            const uint32_t m4 = (uint32_t)*(sums += plane);
            const uint32_t m5 = (uint32_t)*(sums += plane);
            const uint32_t s1 = 4u * (m1 + m2);
            const uint32_t d1 = 4u * (m1 - m2);
            const uint32_t s2 = m3 + m4;
            const uint32_t d2 = m3 - m4;

            ADD(a0, b0, (m0 + s2 - s1) * INVERSE_OF_3)
            ADD(a1, b1, (2u * d2 - d1) * INVERSE_OF_3)
            ADD(a2, b2, (4u * s2 - s1) * INVERSE_OF_3)
            ADD(a3, b3, (8u * (d2 + m5) - d1) * INVERSE_OF_3)
        }
    }
    split(a0, b0, form, form->behind, to);
    split(a1, b1, form, form->behind, to + 1);
    split(a2, b2, form, form->behind, to + 2);
    split(a3, b3, form, form->behind, to + 3);
}

#define OUTPUT(SUM, code)                                                                                    \
    {                                                                                                        \
        const uint32_t x = *from++;                                                                          \
        const uint32_t sum = SUM;                                                                            \
                                                                                                             \
        *to = code;                                                                                          \
        to += channels;                                                                                      \
    }
/* Each of the sums of a tile as a code; most tiles have four in a row. */
#define STORE(SUM, code)                                                                                     \
    for (; rows != 0u; --rows, row += next, sums += 4) {                                                     \
        const uint32_t *from = sums;                                                                         \
        int8_t *to = row;                                                                                    \
                                                                                                             \
        if (columns == 4u) {                                                                                 \
            OUTPUT(SUM, code)                                                                                \
            OUTPUT(SUM, code)                                                                                \
            OUTPUT(SUM, code)                                                                                \
            OUTPUT(SUM, code)                                                                                \
        } else {                                                                                             \
            const uint32_t *const end = sums + columns;                                                      \
                                                                                                             \
            while (from != end) {                                                                            \
                OUTPUT(SUM, code)                                                                            \
            }                                                                                                \
        }                                                                                                    \
    }
#define CLAMPED (x < low ? low : x > high ? high : x)
#define LINE    (int32_t)(start + multiplier * sum)
#define LINES   (int32_t)(start + multiplier * sum + (sum < zero ? negative : 0u))

static void store(const dimmer_packed_form_t *form, const dimmer_packed_channel_t *channel,
                  const uint32_t *sums, const dimmer_packed_tile_t *tile, uint32_t first) {
    /* Copies: a store through int8_t may change the originals for all that the compiler knows. */
    const uint32_t low = channel->low;
    const uint32_t high = channel->high;
    const uint32_t multiplier = channel->multiplier;
    const uint32_t start = channel->start;
    const uint32_t zero = channel->zero;
    const uint32_t negative = channel->negative;
    const int32_t least = form->low;
    const int32_t most = form->high;
    const size_t channels = form->channels;
    const size_t next = form->row;
    const uint32_t columns = tile->columns;
    uint32_t rows = tile->rows;
    int8_t *row = tile->output + first;

    switch (form->way) {
    case DIMMER_PACKED_LINE:
        STORE(CLAMPED, (int8_t)(LINE >> 24))
        break;
    case DIMMER_PACKED_LINES:
        STORE(CLAMPED, (int8_t)(LINES >> 24))
        break;
    case DIMMER_PACKED_STEEP:
        STORE(x, dimmer_clamp_s8(LINES >> 20, least, most))
        break;
    case DIMMER_PACKED_CLAMPED:
        STORE(CLAMPED, dimmer_clamp_s8(LINES >> 22, least, most))
        break;
    }
}

void dimmer_packed_results(const dimmer_packed_form_t *form, const int32_t *sums,
                           const dimmer_packed_channel_t *channel, const dimmer_packed_tile_t *tiles,
                           uint32_t count, uint32_t first) {
    const dimmer_packed_tile_t *const stop = tiles + count;

    for (; tiles != stop; ++tiles, ++sums) {
        uint32_t x[DIMMER_PACKED_ROWS * DIMMER_PACKED_COLUMNS];

        sums_of(form, sums, channel->offset, x);
        store(form, channel, x, tiles, first);
    }
}
