/* SPDX-License-Identifier: Apache-2.0 */
/* The layer that winograd.h declares, once for each kind of weights. The file that includes this one
 * defines DIMMER_KERNEL_NAME, the function's name, and DIMMER_KERNEL_SLICED: 0, or 1 where weights are slices
 * of what is stored. Neither pays for the other. */
#ifndef DIMMER_WINOGRAD_BODY_H
#define DIMMER_WINOGRAD_BODY_H

#include <string.h>

#include "sum_table.h"
#include "winograd.h"
#include "../common/require.h"
#include "../common/slice.h"

#ifndef DIMMER_KERNEL_SLICED
#define DIMMER_KERNEL_SLICED 0
#endif

#define SIDE   ((int32_t)DIMMER_WINOGRAD_SIDE)
#define POINTS ((int32_t)DIMMER_WINOGRAD_POINTS)

/* What the tiles of one layer share. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    uint32_t group;
    uint32_t strip;
    const int8_t *input;
    int8_t *output;
    uint32_t across;                  /* tiles in a row */
    uint32_t count;                   /* tiles */
    dimmer_rescale_t *rescales;       /* [output_c] */
    dimmer_panel_small_t *smalls;     /* instead, in the same place, or null */
    uint32_t plane;                   /* input_c as a multiple of 4 */
    int32_t *sums;                    /* [36,DIMMER_WINOGRAD_CHANNELS,4] */
    dimmer_winograd_word_t *panels;   /* [strip,36,plane,4] */
    dimmer_winograd_word_t *expanded; /* [group,36,plane] */
    const dimmer_sum_table_t *sum;    /* null where nothing is added */
    const int8_t *residual;           /* what is added to each image */
    int8_t *results;                  /* [strip,4,4,4,output_c] before they are added */
} tiles_t;

/* int8[6,6,input_c]. The sums are not needed while inputs are transformed. */
static int8_t *patch_of(const tiles_t *tiles) {
    return (int8_t *)tiles->sums;
}

/* As gather, for any number of channels. */
static void gather_bytes(const tiles_t *tiles, int32_t y, int32_t x) {
    const dimmer_conv2d_s8_t *r = tiles->r;
    const uint32_t channels = r->input_c;
    int8_t *to = patch_of(tiles);
    int32_t i;
    int32_t j;

    for (i = y; i < y + POINTS; ++i) {
        for (j = x; j < x + POINTS; ++j) {
            const int outside = i < 0 || i >= r->input_h || j < 0 || j >= r->input_w;
            const int8_t *from =
                outside ? NULL : tiles->input + ((size_t)i * r->input_w + (size_t)j) * channels;
            uint32_t c;

            for (c = 0; c < channels; ++c) {
                *to++ = from != NULL ? from[c] : r->input_zero_point;
            }
        }
    }
}

/* The 6x6 elements at (y, x) where some of them are padding. */
static void gather(const tiles_t *tiles, int32_t y, int32_t x) {
    const dimmer_conv2d_s8_t *r = tiles->r;
    /* Channels are a multiple of 4, and buffers aligned. */
    const size_t words = r->input_c / 4u;
    const uint32_t padding = 0x01010101u * (uint8_t)r->input_zero_point;
    const uint32_t *input = (const uint32_t *)(const void *)tiles->input;
    uint32_t *to = (uint32_t *)(void *)patch_of(tiles);
    int32_t i;
    int32_t j;

    for (i = y; i < y + POINTS; ++i) {
        for (j = x; j < x + POINTS; ++j) {
            const uint32_t *const end = to + words;

            if (i < 0 || i >= r->input_h || j < 0 || j >= r->input_w) {
                while (to != end) {
                    *to++ = padding;
                }
            } else {
                const uint32_t *from = input + ((size_t)i * r->input_w + (size_t)j) * words;

                while (to != end) {
                    *to++ = *from++;
                }
            }
        }
    }
}

/* The inputs of tiles [first, end) to [quads,36,plane,4]. */
static void transform_tiles(const tiles_t *tiles, uint32_t first, uint32_t end, dimmer_winograd_word_t *to) {
    const dimmer_conv2d_s8_t *r = tiles->r;
    const size_t channels = r->input_c;
    int32_t row = (int32_t)(first / tiles->across);
    int32_t column = (int32_t)(first % tiles->across);
    uint32_t tile;

    for (tile = first; tile < end; ++tile) {
        const int32_t y = row * SIDE - r->pad_top;
        const int32_t x = column * SIDE - r->pad_left;

        if (y >= 0 && y + POINTS <= r->input_h && x >= 0 && x + POINTS <= r->input_w) {
            dimmer_winograd_input(tiles->input + ((size_t)y * r->input_w + (size_t)x) * channels,
                                  r->input_w * channels, channels, tiles->plane, to);
        } else {
            if (channels == tiles->plane) {
                gather(tiles, y, x);
            } else {
                gather_bytes(tiles, y, x);
            }
            dimmer_winograd_input(patch_of(tiles), DIMMER_WINOGRAD_POINTS * channels, channels, tiles->plane,
                                  to);
        }
        to += (tile - first) % DIMMER_PANEL_PIXELS != DIMMER_PANEL_PIXELS - 1u
                  ? 1u
                  : DIMMER_WINOGRAD_PLANES * tiles->plane * DIMMER_PANEL_PIXELS - (DIMMER_PANEL_PIXELS - 1u);
        if (++column == (int32_t)tiles->across) {
            column = 0;
            ++row;
        }
    }
}

/* Where in an image the outputs of a tile go. */
static size_t place(const tiles_t *tiles, uint32_t tile, dimmer_winograd_tile_t *size) {
    const dimmer_conv2d_s8_t *r = tiles->r;
    const uint32_t y = tile / tiles->across * DIMMER_WINOGRAD_SIDE;
    const uint32_t x = tile % tiles->across * DIMMER_WINOGRAD_SIDE;

    size->rows = r->output_h - y < DIMMER_WINOGRAD_SIDE ? r->output_h - y : DIMMER_WINOGRAD_SIDE;
    size->columns = r->output_w - x < DIMMER_WINOGRAD_SIDE ? r->output_w - x : DIMMER_WINOGRAD_SIDE;
    return ((size_t)y * r->output_w + x) * r->output_c;
}

/* Bytes of the outputs of a tile. */
static size_t tile_bytes(const tiles_t *tiles) {
    return (size_t)DIMMER_WINOGRAD_SIDE * DIMMER_WINOGRAD_SIDE * tiles->r->output_c;
}

/* Where the outputs of up to four tiles of the strip from `from` on go; returns how many there are. */
static uint32_t locate(const tiles_t *tiles, uint32_t from, uint32_t first, dimmer_winograd_tile_t *places) {
    const uint32_t left = tiles->count - first;
    const uint32_t count = left < DIMMER_PANEL_PIXELS ? left : DIMMER_PANEL_PIXELS;
    uint32_t tile;

    for (tile = first; tile < first + count; ++tile, ++places) {
        const size_t at = place(tiles, tile, places);

        places->output =
            tiles->sum != NULL ? tiles->results + (tile - from) * tile_bytes(tiles) : tiles->output + at;
    }
    return count;
}

static void add(const tiles_t *tiles, uint32_t first, uint32_t end) {
    const size_t row = (size_t)tiles->r->output_w * tiles->r->output_c;
    const int8_t *results = tiles->results;
    uint32_t tile;

    for (tile = first; tile < end; ++tile, results += tile_bytes(tiles)) {
        dimmer_winograd_tile_t size;
        size_t at = place(tiles, tile, &size);
        uint32_t y;

        for (y = 0; y < size.rows; ++y, at += row) {
            dimmer_sum_table_run(tiles->sum, results + y * DIMMER_WINOGRAD_SIDE * tiles->r->output_c,
                                 tiles->residual + at, tiles->output + at, size.columns * tiles->r->output_c);
        }
    }
}

static void one_image(const dimmer_model_t *model, const tiles_t *tiles) {
    const dimmer_conv2d_s8_t *r = tiles->r;
    const size_t depth = (size_t)DIMMER_WINOGRAD_PLANES * tiles->plane;
    const uint32_t strip = tiles->strip * DIMMER_PANEL_PIXELS;
    const dimmer_winograd_output_t shared = {
        (tiles->sum != NULL ? DIMMER_WINOGRAD_SIDE : (uint32_t)r->output_w) * r->output_c,
        r->output_c,
        r->activation_min,
        r->activation_max,
        tiles->rescales,
        tiles->smalls};
    uint32_t from;

    for (from = 0; from < tiles->count; from += strip) {
        const uint32_t to = tiles->count - from < strip ? tiles->count : from + strip;
        uint32_t first;

        transform_tiles(tiles, from, to, tiles->panels);
        for (first = 0; first < r->output_c; first += tiles->group) {
            const uint32_t last = r->output_c - first < tiles->group ? r->output_c : first + tiles->group;
            uint32_t channel;
            uint32_t tile;

            if (from == 0u || tiles->group < r->output_c) {
                for (channel = first; channel < last; ++channel) {
                    const int8_t *weights = model->weights + r->weights + (size_t)channel * 9u * r->input_c;

                    if (DIMMER_KERNEL_SLICED) {
                        /* While weights are transformed sums are not needed either. */
                        int8_t *const slices = (int8_t *)tiles->sums;

                        dimmer_slice(weights, slices, 9u * (size_t)r->input_c, r->weight_bits);
                        weights = slices;
                    }
                    dimmer_winograd_weights(weights, r->input_c, tiles->plane,
                                            tiles->expanded + (channel - first) * depth);
                }
            }
            for (tile = from; tile < to; tile += DIMMER_PANEL_PIXELS) {
                dimmer_winograd_tile_t places[DIMMER_PANEL_PIXELS];
                const uint32_t count = locate(tiles, from, tile, places);

                for (channel = first; channel < last; channel += DIMMER_WINOGRAD_CHANNELS) {
                    const uint32_t left = last - channel;
                    const uint32_t some = left < DIMMER_WINOGRAD_CHANNELS ? left : DIMMER_WINOGRAD_CHANNELS;
                    uint32_t i;

                    dimmer_winograd_panel(tiles->expanded + (channel - first) * depth,
                                          tiles->panels + (tile - from) * depth, some, tiles->plane,
                                          tiles->sums);
                    for (i = 0; i < some; ++i) {
                        dimmer_winograd_back(tiles->sums + i * DIMMER_PANEL_PIXELS, &shared, places, count,
                                             channel + i);
                    }
                }
            }
        }
        if (tiles->sum != NULL) {
            add(tiles, from, to);
        }
    }
}

void DIMMER_KERNEL_NAME(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                        uint32_t strip, const dimmer_add_s8_t *add_to, uint32_t operand, uint32_t places,
                        uint32_t small, uint8_t *arena) {
    const uint32_t plane = (r->input_c + 3u) & ~3u;
    const size_t depth = (size_t)DIMMER_WINOGRAD_PLANES * plane;
    const size_t sums = sizeof(int32_t) * DIMMER_WINOGRAD_PLANES * DIMMER_WINOGRAD_SPACE;
    const size_t patch = depth;
    dimmer_sum_table_t sum;
    tiles_t tiles;
    uint32_t batch;

    dimmer_require_conv2d(model, r, small != 0u ? -11 : -22, -1);
    DIMMER_ASSERT(r->kernel_h == 3u && r->kernel_w == 3u);
    DIMMER_ASSERT((r->weight_bits != 8u) == DIMMER_KERNEL_SLICED);
    DIMMER_ASSERT(r->stride_h == 1u && r->stride_w == 1u && r->dilation_h == 1u && r->dilation_w == 1u);
    DIMMER_ASSERT(group >= 1u && group <= r->output_c && strip >= 1u);
    tiles.r = r;
    tiles.group = group;
    tiles.strip = strip;
    tiles.input = (const int8_t *)(arena + r->input);
    tiles.output = (int8_t *)(arena + r->output);
    tiles.across = ((uint32_t)r->output_w + DIMMER_WINOGRAD_SIDE - 1u) / DIMMER_WINOGRAD_SIDE;
    tiles.count = ((uint32_t)r->output_h + DIMMER_WINOGRAD_SIDE - 1u) / DIMMER_WINOGRAD_SIDE * tiles.across;
    tiles.smalls = (dimmer_panel_small_t *)(void *)(arena + r->scratch);
    tiles.rescales = (dimmer_rescale_t *)(void *)tiles.smalls;
    tiles.sums = (int32_t *)(void *)(tiles.smalls + r->output_c);
    tiles.plane = plane;
    tiles.panels = (dimmer_winograd_word_t *)(void *)((int8_t *)tiles.sums + (patch > sums ? patch : sums));
    tiles.expanded = tiles.panels + strip * DIMMER_PANEL_PIXELS * depth;
    if (plane != r->input_c) {
        memset(tiles.panels, 0, (strip * DIMMER_PANEL_PIXELS + group) * depth * sizeof *tiles.panels);
    }
    tiles.sum = NULL;
    tiles.residual = NULL;
    tiles.results = NULL;
    if (add_to != NULL) {
        dimmer_require_plain_sum(add_to, -22, -1);
        DIMMER_ASSERT(operand == 1u || operand == 2u);
        int32_t *const tables = (int32_t *)(void *)(tiles.expanded + group * depth);

        sum = dimmer_sum_table_of(add_to, operand, places, tables);
        tiles.sum = &sum;
        tiles.residual = (const int8_t *)(arena + (operand == 1u ? add_to->input2 : add_to->input1));
        tiles.output = (int8_t *)(arena + add_to->output);
        tiles.results = (int8_t *)(tables + DIMMER_SUM_TABLE_WORDS);
    }
    if (small != 0u) {
        DIMMER_ASSERT(r->activation_min == INT8_MIN && r->activation_max == INT8_MAX);
        dimmer_panel_smalls(model, r, tiles.smalls);
    } else {
        dimmer_panel_rescales(model, r, tiles.rescales);
        tiles.smalls = NULL;
    }
    for (batch = 0; batch < r->batches; ++batch) {
        const size_t bytes = (size_t)r->output_h * r->output_w * r->output_c;

        one_image(model, &tiles);
        tiles.input += (size_t)r->input_h * r->input_w * r->input_c;
        tiles.output += bytes;
        if (add_to != NULL) {
            tiles.residual += bytes;
        }
    }
}

#endif
