/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "packed.h"
#include "sum_table.h"
#include "../common/require.h"
#include "../common/slice.h"

#define CODES 256u

/* What the strips of one layer share. */
typedef struct {
    const dimmer_model_t *model;
    const dimmer_conv2d_s8_t *r;
    const dimmer_packed_settings_t *settings;
    dimmer_packed_form_t form;
    const int8_t *input;
    int8_t *output;
    const int8_t *residual; /* null where nothing is added */
    dimmer_sum_table_t sum;
    uint32_t in_panel;                 /* tiles */
    uint32_t length;                   /* terms of a plane */
    uint32_t columns;                  /* of inputs of a word */
    uint32_t across;                   /* tiles in a row */
    uint32_t count;                    /* tiles */
    int32_t *panels;                   /* [strip,planes,length,4] */
    int32_t *weights;                  /* [chunks,planes,group,terms] */
    int32_t *sums;                     /* [chunks,planes,group,4] */
    dimmer_packed_channel_t *channels; /* [output_c] */
    int8_t *slices;                    /* of every code, that of 0 in the middle */
    int8_t *zero;                      /* the code of 0 of a row of inputs of a word */
    int8_t *results;                   /* [rows,strip * in_panel,4,output_c] before they are added */
} work_t;

static void fill_channels(const work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const int32_t *const params = w->model->params;
    const uint32_t spacing = w->form.spacing;
    const uint32_t ones = ((uint32_t)1 << spacing) + 1u;
    const uint32_t unit = (spacing < 8u ? 1u : (uint32_t)1 << (spacing - 8u)) << w->form.behind;
    uint32_t c;

    for (c = 0; c < r->output_c; ++c) {
        const int32_t *const own =
            params + w->settings->bounds + (w->form.way == DIMMER_PACKED_LINE ? c : 3u * c);
        const uint32_t bounds = (uint32_t)own[0];
        const uint32_t offset = unit * (uint8_t)w->model->shifts[r->shifts + c] * ones;

        w->channels[c].offset = w->form.rows == 2u ? offset : offset + (offset << (2u * spacing));
        w->channels[c].low = bounds & 0x3FFFFu;
        w->channels[c].high = w->channels[c].low + (bounds >> 18);
        w->channels[c].multiplier = (uint32_t)params[r->multipliers + c];
        w->channels[c].start = (uint32_t)params[r->bias + c];
        w->channels[c].zero = 0;
        w->channels[c].negative = 0;
        if (w->form.way != DIMMER_PACKED_LINE) {
            w->channels[c].zero = (uint32_t)own[1];
            w->channels[c].negative = (uint32_t)own[2];
        }
    }
}

static void fill_slices(const work_t *w) {
    int8_t *const first = w->slices - CODES / 2u;
    uint32_t i;

    for (i = 0; i < CODES; ++i) {
        first[i] = (int8_t)((int32_t)i - (int32_t)(CODES / 2u));
    }
    dimmer_slice(first, first, CODES, w->r->weight_bits);
    for (i = 0; w->r->weight_bits == 2u && i < CODES; ++i) {
        first[i] = (int8_t)(first[i] < 0 ? -1 : first[i] > 0);
    }
}

/* Terms [begin, end) of a channel whose codes begin at `from`. */
static int32_t *widen(const work_t *w, const int8_t *from, uint32_t begin, uint32_t end, int32_t *to) {
    const int8_t *const slices = w->slices;
    const int8_t *code = from + begin;
    const int8_t *const stop = from + end;

    for (; code != stop; code += 4, to += 4) {
        to[0] = slices[code[0]];
        to[1] = slices[code[1]];
        to[2] = slices[code[2]];
        to[3] = slices[code[3]];
    }
    return to;
}

/* The same at the six points of F(4,3), `plane` words apart. Rows: 6 0 0; 1 1 1; 1 -1 1; 1 2 4; 1 -2 4; 0 0
 * 3. */
static int32_t *transform(const work_t *w, const int8_t *from, uint32_t begin, uint32_t end, size_t plane,
                          int32_t *to) {
    const int8_t *const slices = w->slices;
    const size_t channels = w->r->input_c;
    uint32_t c = begin % w->r->input_c;

    from += 2u * (begin - c) + begin;
    for (; begin != end; ++begin, ++from, ++to) {
        const int32_t x = slices[*from];
        const int32_t y = slices[from[channels]];
        const int32_t z = slices[from[2u * channels]];
        const int32_t odd = x + z;
        const int32_t twice = x + 4 * z;
        int32_t *next = to;

        *next = 6 * x;
        *(next += plane) = odd + y;
        *(next += plane) = odd - y;
        *(next += plane) = twice + 2 * y;
        *(next += plane) = twice - 2 * y;
        *(next += plane) = 3 * z;
        if (++c == channels) {
            c = 0;
            from += 2u * channels;
        }
    }
    return to;
}

/* The weights of channels [first, first + count). */
static void fill_weights(const work_t *w, uint32_t first, uint32_t count) {
    const size_t depth = (size_t)w->r->kernel_h * w->r->kernel_w * w->r->input_c;
    const uint32_t terms = w->settings->terms;
    int32_t *to = w->weights;
    uint32_t begin;

    for (begin = 0; begin < w->length; begin += terms) {
        const uint32_t end = w->length - begin < terms ? w->length : begin + terms;
        const size_t plane = (size_t)(end - begin) * count;
        const int8_t *from = w->model->weights + w->r->weights + first * depth;
        const int8_t *const last = from + count * depth;

        for (; from != last; from += depth) {
            to = w->form.planes == 1u ? widen(w, from, begin, end, to)
                                      : transform(w, from, begin, end, plane, to);
        }
        to += (w->form.planes - 1u) * plane;
    }
}

static void clear(int32_t *to, uint32_t columns, uint32_t channels, size_t column) {
    for (; columns != 0u; --columns, to += column) {
        int32_t *next = to;
        uint32_t c;

        for (c = 0; c < channels; ++c, next += DIMMER_PANEL_PIXELS) {
            *next = 0;
        }
    }
}

/* The inputs from column x on of the rows of a word to every fourth word of `to`. */
static void fill_word(const work_t *w, uint32_t row, int32_t x, int32_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t channels = r->input_c;
    const int32_t columns = (int32_t)w->columns;
    const int32_t whole = r->input_w - x < columns ? (r->input_w > x ? r->input_w - x : 0) : columns;
    const int32_t outside = x >= 0 ? 0 : -x < whole ? -x : whole;
    const size_t line = DIMMER_PANEL_PIXELS * (size_t)channels;
    const size_t column = w->form.planes == 1u ? line : DIMMER_PANEL_PIXELS * (size_t)w->length;
    const uint32_t next = w->form.planes == 1u ? w->columns : 1u;
    int32_t y = (int32_t)(row * w->form.rows * r->stride_h) - r->pad_top;
    uint32_t ky;

    for (ky = 0; ky < r->kernel_h; ++ky, y += r->dilation_h, to += next * line) {
        const int8_t *from[DIMMER_PACKED_ROWS];
        uint32_t i;

        for (i = 0; i < w->form.rows; ++i) {
            const int32_t at = y + (int32_t)(i * r->stride_h);

            from[i] = (uint32_t)at < r->input_h
                          ? w->input + ((size_t)at * r->input_w + (size_t)(x + outside)) * channels
                          : w->zero;
        }
        if (outside != 0) {
            clear(to, (uint32_t)outside, channels, column);
        }
        dimmer_packed_inputs(&w->form, from, (uint32_t)(whole - outside), channels,
                             to + (size_t)outside * column, column);
        if (whole != columns) {
            clear(to + (size_t)whole * column, (uint32_t)(columns - whole), channels, column);
        }
        if (w->form.planes != 1u) {
            dimmer_packed_transform(to, channels, column);
        }
    }
}

/* The inputs of tiles [first, end). */
static void fill_panels(const work_t *w, uint32_t first, uint32_t end) {
    const size_t panel = DIMMER_PANEL_PIXELS * (size_t)w->form.planes * w->length;
    const uint32_t words = DIMMER_PANEL_PIXELS / w->in_panel;
    const uint32_t step = DIMMER_PACKED_COLUMNS / words * w->r->stride_w;
    uint32_t row = first / w->across;
    uint32_t word = first % w->across * words;
    uint32_t i;

    for (i = 0; i < (end - first) * words; ++i) {
        fill_word(w, row, (int32_t)(word * step) - w->r->pad_left,
                  w->panels + i / DIMMER_PANEL_PIXELS * panel + i % DIMMER_PANEL_PIXELS);
        if (++word == w->across * words) {
            word = 0;
            ++row;
        }
    }
}

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* How much of a tile the output has, and where it goes there. */
static size_t place(const work_t *w, uint32_t tile, dimmer_packed_tile_t *size) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t y = tile / w->across * w->form.rows;
    const uint32_t x = tile % w->across * DIMMER_PACKED_COLUMNS;

    size->rows = smaller(w->form.rows, r->output_h - y);
    size->columns = smaller(DIMMER_PACKED_COLUMNS, r->output_w - x);
    return ((size_t)y * r->output_w + x) * r->output_c;
}

/* Bytes of the results of a row of a tile. */
static size_t piece(const work_t *w) {
    return DIMMER_PACKED_COLUMNS * (size_t)w->r->output_c;
}

/* The panel that begins with `tile`, of a strip that begins with `from`. */
static void one_panel(const work_t *w, uint32_t from, uint32_t tile, uint32_t first, uint32_t channels) {
    const uint32_t terms = w->settings->terms;
    const uint32_t count = smaller(w->in_panel, w->count - tile);
    const size_t plane = DIMMER_PANEL_PIXELS * (size_t)w->length;
    const int32_t *panel = w->panels + (tile - from) / w->in_panel * w->form.planes * plane;
    const int32_t *weights = w->weights;
    dimmer_packed_form_t form = w->form;
    dimmer_packed_tile_t tiles[DIMMER_PANEL_PIXELS];
    int32_t *sums = w->sums;
    uint32_t begin;
    uint32_t i;

    for (begin = 0; begin < w->length; begin += terms, panel += DIMMER_PANEL_PIXELS * terms) {
        const uint32_t length = smaller(terms, w->length - begin);

        for (i = 0; i < w->form.planes; ++i, sums += DIMMER_PANEL_PIXELS * channels) {
            dimmer_panel(weights, panel + i * plane, channels, length, sums, 0u);
            weights += length * channels;
        }
    }
    for (i = 0; i < count; ++i) {
        const size_t at = place(w, tile + i, tiles + i);

        tiles[i].output = w->residual != NULL ? w->results + (tile + i - from) * piece(w) : w->output + at;
    }
    form.plane = DIMMER_PANEL_PIXELS * channels;
    sums = w->sums;
    for (i = first; i < first + channels; ++i, sums += DIMMER_PANEL_PIXELS) {
        dimmer_packed_results(&form, sums, w->channels + i, tiles, count, i);
    }
}

static void add(const work_t *w, uint32_t first, uint32_t end) {
    const size_t row = (size_t)w->r->output_w * w->r->output_c;
    const int8_t *results = w->results;

    while (first < end) {
        const uint32_t column = first % w->across;
        const uint32_t tiles = smaller(end - first, w->across - column);
        const uint32_t columns = w->r->output_w - column * DIMMER_PACKED_COLUMNS;
        const uint32_t count = smaller(tiles * DIMMER_PACKED_COLUMNS, columns) * w->r->output_c;
        dimmer_packed_tile_t size;
        size_t at = place(w, first, &size);
        uint32_t y;

        for (y = 0; y < size.rows; ++y, at += row) {
            dimmer_sum_table_run(&w->sum, results + y * w->form.row, w->residual + at, w->output + at, count);
        }
        first += tiles;
        results += tiles * piece(w);
    }
}

static void one_image(const work_t *w) {
    const uint32_t channels = w->r->output_c;
    const uint32_t strip = w->settings->strip * w->in_panel;
    uint32_t from;

    for (from = 0; from < w->count; from += strip) {
        const uint32_t end = smaller(w->count, from + strip);
        uint32_t first;

        fill_panels(w, from, end);
        for (first = 0; first < channels; first += w->settings->group) {
            const uint32_t count = smaller(w->settings->group, channels - first);
            uint32_t tile;

            if (from == 0u || w->settings->group < channels) {
                fill_weights(w, first, count);
            }
            for (tile = from; tile < end; tile += w->in_panel) {
                one_panel(w, from, tile, first, count);
            }
        }
        if (w->residual != NULL) {
            add(w, from, end);
        }
    }
}

static void require(const dimmer_conv2d_s8_t *r, const dimmer_packed_settings_t *settings) {
    DIMMER_ASSERT(r->batches >= 1u && r->input_h >= 1u && r->input_w >= 1u && r->input_c >= 1u);
    DIMMER_ASSERT(r->output_h >= 1u && r->output_w >= 1u && r->output_c >= 1u && r->input_c % 4u == 0u);
    DIMMER_ASSERT((r->weight_bits == 4u || r->weight_bits == 2u) && r->input_zero_point == -128);
    DIMMER_ASSERT(settings->input_bits == 4u || (settings->input_bits == 2u && r->weight_bits == 2u));
    DIMMER_ASSERT(r->dilation_w == 1u && r->pad_left < r->kernel_w);
    DIMMER_ASSERT(settings->planes == 1u ||
                  (settings->planes == DIMMER_PACKED_PLANES && r->kernel_w == 3u && r->stride_w == 1u));
    DIMMER_ASSERT(settings->group >= 1u && settings->group <= r->output_c && settings->strip >= 1u);
    DIMMER_ASSERT(settings->terms >= 4u && settings->terms % 4u == 0u);
    (void)r;
    (void)settings;
}

void dimmer_packed_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                         const dimmer_packed_settings_t *settings, const dimmer_add_s8_t *add_to,
                         uint32_t operand, uint8_t *arena) {
    const int one = settings->planes == 1u;
    const size_t bytes = (size_t)r->output_h * r->output_w * r->output_c;
    int32_t *scratch = (int32_t *)(void *)(arena + r->scratch);
    work_t w;
    uint32_t batch;

    require(r, settings);
    memset(&w, 0, sizeof w);
    w.model = model;
    w.r = r;
    w.settings = settings;
    w.input = (const int8_t *)(arena + r->input);
    w.output = (int8_t *)(arena + r->output);
    w.in_panel = one ? 1u : DIMMER_PANEL_PIXELS;
    w.columns = one ? r->kernel_w : DIMMER_PACKED_PLANES;
    w.length = (uint32_t)r->kernel_h * r->input_c * (one ? r->kernel_w : 1u);
    w.form.rows = settings->input_bits == 2u ? 4u : 2u;
    w.form.planes = settings->planes;
    w.form.behind = one ? 0u : 3u;
    w.form.spacing = (32u - w.form.behind) / w.form.rows;
    w.form.mask = ((uint32_t)1 << w.form.spacing) - 1u;
    w.form.mask |= w.form.rows == 2u ? 0u : w.form.mask << (2u * w.form.spacing);
    w.form.mask <<= w.form.behind;
    w.form.chunks = (w.length + settings->terms - 1u) / settings->terms;
    w.form.channels = r->output_c;
    w.form.row = (size_t)r->output_w * r->output_c;
    w.form.way = settings->way;
    w.form.low = r->activation_min;
    w.form.high = r->activation_max;
    w.across = (r->output_w + DIMMER_PACKED_COLUMNS - 1u) / DIMMER_PACKED_COLUMNS;
    w.count = (r->output_h + w.form.rows - 1u) / w.form.rows * w.across;
    if (add_to != NULL) {
        dimmer_require_plain_sum(add_to, -22, -1);
        DIMMER_ASSERT(operand == 1u || operand == 2u);
        w.sum = dimmer_sum_table_of(add_to, operand, 0u, scratch);
        w.residual = (const int8_t *)(arena + (operand == 1u ? add_to->input2 : add_to->input1));
        w.output = (int8_t *)(arena + add_to->output);
        w.form.row = settings->strip * w.in_panel * piece(&w);
        scratch += DIMMER_SUM_TABLE_WORDS;
    }
    w.panels = scratch;
    w.weights = w.panels + settings->strip * DIMMER_PANEL_PIXELS * (size_t)w.form.planes * w.length;
    w.sums = w.weights + settings->group * (size_t)w.form.planes * w.length;
    w.channels = (dimmer_packed_channel_t *)(void *)(w.sums + w.form.chunks * w.form.planes *
                                                                  settings->group * DIMMER_PANEL_PIXELS);
    w.slices = (int8_t *)(w.channels + r->output_c) + CODES / 2u;
    w.zero = w.slices + CODES / 2u;
    w.results = w.zero + w.columns * r->input_c;
    memset(w.zero, r->input_zero_point, w.columns * (size_t)r->input_c);
    fill_channels(&w);
    fill_slices(&w);
    for (batch = 0; batch < r->batches; ++batch) {
        one_image(&w);
        w.input += (size_t)r->input_h * r->input_w * r->input_c;
        w.output += bytes;
        if (w.residual != NULL) {
            w.residual += bytes;
        }
    }
}
