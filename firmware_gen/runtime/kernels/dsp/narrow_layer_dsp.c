/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "direct.h"
#include "narrow.h"
#include "../common/slice.h"
#include "sum_dsp.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

/* Where a layer's scratch lies, and what follows from its shape. An output is computed in one of two lanes:
 * those of a strip's lower half are the second one. */
typedef struct {
    const dimmer_model_t *model;
    const dimmer_conv2d_s8_t *r;
    const dimmer_narrow_settings_t *settings;
    const int8_t *input;
    int8_t *output;
    const int8_t *residual; /* null where nothing is added */
    dimmer_sum_dsp_t sum;
    dimmer_narrow_format_t format;
    int64_t ones;  /* 1 in each complete field */
    int64_t *sums; /* int64[chunks][DIMMER_NARROW_SUMS] */
    int32_t *panel;
    int32_t *panel_end;
    int32_t *pixels; /* int32[tiles][rows][phases][input_c][lanes] */
    int8_t *zero;    /* the code of 0 of all channels of an input */
    int8_t *no_tap;  /* weights of 0 */
    uint8_t *table;  /* where inputs are quantised: from 0 on */
    int8_t *results[2];
    uint32_t half; /* rows of outputs of a lane */
    uint32_t rows; /* of inputs under them */
    uint32_t phases;
    uint32_t begin[DIMMER_NARROW_PHASES]; /* first place of a phase that is not padding */
    uint32_t skip;                        /* results before the first output */
    uint32_t tiles;                       /* that have inputs */
    uint32_t all_tiles;
    uint32_t terms; /* of a chunk */
    uint32_t chunks;
    uint32_t first; /* channels of the pass */
    uint32_t count;
    dimmer_narrow_kind_t kind;
    dimmer_narrow_results_t store;
} work_t;

static uint32_t common(uint32_t a, uint32_t b) {
    while (b != 0u) {
        const uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The taps of one row of the kernel and one phase, lowest field first. */
static void find_taps(const work_t *w, const int8_t *row, uint32_t phase,
                      const int8_t *taps[DIMMER_NARROW_TAPS]) {
    const dimmer_conv2d_s8_t *r = w->r;
    uint32_t i;

    for (i = 0; i < DIMMER_NARROW_TAPS; ++i) {
        taps[i] = w->no_tap;
    }
    for (i = 0; phase + i * r->stride_w < r->kernel_w; ++i) {
        taps[w->skip + w->begin[phase] - i] = row + (size_t)(phase + i * r->stride_w) * r->input_c;
    }
}

/* What is added to each field of channel c: unsigned codes in the table of shifts, of half a field / 128. */
static int32_t offset_of(const work_t *w, uint32_t c) {
    const uint8_t code = (uint8_t)w->model->shifts[w->settings->offsets + c];

    return (int32_t)((uint32_t)code << (w->format.spacing - 8u));
}

static void fill_tail(const work_t *w, uint32_t c, dimmer_narrow_tail_t *tail) {
    const dimmer_conv2d_s8_t *r = w->r;
    const int32_t shift = w->model->shifts[r->shifts + c];
    const int32_t unit = r->weight_bits == 4u ? DIMMER_UNIT_4 : DIMMER_UNIT_2;
    const int32_t bias = w->model->params[r->bias + c] - unit * (int32_t)w->chunks * offset_of(w, c);
    const int32_t factor = (int32_t)2 << (shift < 0 ? 0 : shift);

    tail->negative = shift < 0 ? -1 : 0;
    tail->factor = unit * factor;
    tail->bias = bias * factor;
    tail->multiplier = w->model->params[r->multipliers + c];
    tail->shift = shift < 0 ? -shift : 0;
    tail->rounding = shift < 0 ? (int32_t)1 << (-shift - 1) : 0;
    if (w->kind != DIMMER_NARROW_CLAMPED) {
        tail->rounding += (int32_t)((uint32_t)r->output_zero_point << tail->shift);
    }
}

/* The weights of channel c from `to` on, every other word, chunk by chunk. */
static void fill_channel(const work_t *w, uint32_t c, int32_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t channels = r->input_c;
    const size_t row_bytes = (size_t)r->kernel_w * channels;
    const int8_t *row = w->model->weights + r->weights + c * r->kernel_h * row_bytes;
    const uint32_t run = common(w->terms, channels);
    const uint32_t odd = (c - w->first) & 1u;
    const uint32_t count = r->kernel_w > 2u * w->phases ? DIMMER_NARROW_TAPS : DIMMER_NARROW_TAPS - 1u;
    const int8_t *taps[DIMMER_NARROW_TAPS];
    uint32_t phase = 0;
    uint32_t at = 0;
    uint32_t chunk;

    for (chunk = 0; chunk < w->chunks; ++chunk) {
        int32_t *const head = to + 2u * odd;
        int64_t start = w->ones * offset_of(w, c);
        uint32_t left;

        to += DIMMER_NARROW_HEAD;
        for (left = w->terms; left != 0u; left -= run, to += 2u * run) {
            uint32_t i;

            if (at == 0u) {
                find_taps(w, row, phase, taps);
            }
            start +=
                (int64_t)w->format.weights(taps, count, run, r->weight_bits, to + odd) * ((int64_t)1 << 31);
            for (i = 0; i < DIMMER_NARROW_TAPS; ++i) {
                taps[i] += taps[i] == w->no_tap ? 0u : run;
            }
            at += run;
            if (at == channels) {
                at = 0;
                if (++phase == w->phases) {
                    phase = 0;
                    row += row_bytes;
                }
            }
        }
        head[0] = (int32_t)(uint32_t)start;
        head[1] = (int32_t)(start >> 32);
    }
    fill_tail(w, c, (dimmer_narrow_tail_t *)(void *)to + odd);
}

static void fill_panel(work_t *w) {
    const uint32_t words = w->chunks * (DIMMER_NARROW_HEAD + 2u * w->terms) + DIMMER_NARROW_TAIL;
    uint32_t c;

    for (c = 0; c < w->count; ++c) {
        fill_channel(w, w->first + c, w->panel + c / 2u * words);
    }
    w->panel_end = w->panel + w->count / 2u * words;
}

/* One row of one lane: row y of the input. */
static void fill_row(const work_t *w, int32_t y, int32_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t channels = r->input_c;
    const size_t spacing = 2u * (size_t)w->rows * w->phases * channels;
    const int outside = (uint32_t)y >= r->input_h;
    const int8_t *const row = w->input + (outside ? 0u : (size_t)y * r->input_w * channels);
    uint32_t place = 0;
    uint32_t tile;

    for (tile = 0; tile < w->tiles; ++tile, place += w->format.pixels, to += spacing) {
        int32_t *words = to;
        uint32_t phase;

        for (phase = 0; phase < w->phases; ++phase, words += 2u * channels) {
            const int8_t *columns[DIMMER_NARROW_MAX_PIXELS];
            int32_t x = (int32_t)((place + w->begin[phase]) * r->stride_w + phase) - r->pad_left;
            uint32_t i;

            if (outside) {
                dimmer_narrow_blank(channels, w->format.bits, words);
                continue;
            }
            if (x >= 0 && x + (int32_t)(DIMMER_NARROW_MAX_PIXELS * r->stride_w) <= r->input_w) {
                const int8_t *column = row + (size_t)x * channels;

                for (i = 0; i < DIMMER_NARROW_MAX_PIXELS; ++i, column += r->stride_w * channels) {
                    columns[i] = column;
                }
            } else {
                for (i = 0; i < DIMMER_NARROW_MAX_PIXELS; ++i, x += r->stride_w) {
                    columns[i] = (uint32_t)x < r->input_w ? row + (size_t)x * channels : w->zero;
                }
            }
            w->format.inputs(columns, channels, w->table, words);
        }
    }
}

/* The inputs of the strip whose first row of outputs is y. */
static void fill_pixels(const work_t *w, uint32_t y) {
    const dimmer_conv2d_s8_t *r = w->r;
    uint32_t lane;

    for (lane = 0; lane < 2u; ++lane) {
        const int32_t top = (int32_t)((y + lane * w->half) * r->stride_h) - r->pad_top;
        uint32_t row;

        for (row = 0; row < w->rows; ++row) {
            fill_row(w, top + (int32_t)row, w->pixels + lane + 2u * (size_t)row * w->phases * r->input_c);
        }
    }
}

/* Sums of which nothing is left but what adds to the outputs right of the last input, and the offsets of both
 * channels. */
static void next_sums(const work_t *w, uint32_t channel) {
    /* Of the lower word nothing is left. */
    const uint32_t shift = w->format.pixels * w->format.spacing - 32u;
    const int64_t first = w->ones * offset_of(w, channel);
    const int64_t second = w->ones * offset_of(w, channel + 1u);
    int64_t *const end = w->sums + w->chunks * DIMMER_NARROW_SUMS;
    int64_t *sums;

    for (sums = w->sums; sums != end; sums += DIMMER_NARROW_SUMS) {
        sums[0] = ((int32_t)(sums[0] >> 32) >> shift) + first;
        sums[1] = ((int32_t)(sums[1] >> 32) >> shift) + first;
        sums[2] = ((int32_t)(sums[2] >> 32) >> shift) + second;
        sums[3] = ((int32_t)(sums[3] >> 32) >> shift) + second;
    }
}

/* Both lanes of row `row` of a strip's lanes, two channels. */
static void two_rows(const work_t *w, uint32_t row, const int32_t *panel, uint32_t channel) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t line = 2u * w->phases * r->input_c;
    const dimmer_narrow_tail_t *const tail =
        (const dimmer_narrow_tail_t *)(const void *)(panel +
                                                     w->chunks * (DIMMER_NARROW_HEAD + 2u * w->terms));
    dimmer_narrow_row_t run;
    uint32_t left;

    run.panel = panel;
    run.pixels = w->pixels + row * r->stride_h * line;
    run.bytes = 8u * w->terms;
    run.jump = 4u * line * (w->rows - r->kernel_h);
    run.output0 = w->results[0] + channel;
    run.output1 = w->results[1] + channel;
    run.stride = w->count;
    run.tiles = w->tiles;
    run.chunks = w->chunks;
    run.sums = w->sums;
    run.results = w->store;
    for (left = 0; left != w->chunks * DIMMER_NARROW_SUMS; left += DIMMER_NARROW_SUMS) {
        w->sums[left] = 0;
        w->sums[left + 1u] = 0;
        w->sums[left + 2u] = 0;
        w->sums[left + 3u] = 0;
    }
    w->format.row(&run);
    for (left = w->all_tiles - w->tiles; left != 0u; --left) {
        next_sums(w, w->first + channel);
        dimmer_narrow_tile(&run, tail);
    }
}

/* Brings row y of the pass from a lane's results to the output. */
static void finish(const work_t *w, int8_t *result, uint32_t y) {
    const dimmer_conv2d_s8_t *r = w->r;
    /* A pass of all channels has the row in one piece. */
    const uint32_t pieces = w->count == r->output_c ? 1u : r->output_w;
    const uint32_t bytes = r->output_w * w->count / pieces;
    size_t offset = (size_t)y * r->output_w * r->output_c + w->first;
    uint32_t i;

    result += w->skip * w->count;
    if (w->kind != DIMMER_NARROW_CLAMPED) {
        dimmer_clamp_run(r, result, r->output_w * w->count);
    }
    for (i = 0; i < pieces; ++i, result += bytes, offset += r->output_c) {
        if (w->residual != NULL) {
            dimmer_sum_run(&w->sum, result, w->residual + offset, w->output + offset, bytes);
        } else {
            memcpy(w->output + offset, result, bytes);
        }
    }
}

/* What follows from the shape of a row: dimmer_kernels.h has the same. */
static void measure(work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t stride = r->stride_w;
    uint32_t p;

    w->phases = r->kernel_w < stride ? r->kernel_w : stride;
    w->skip = 0;
    w->tiles = 0;
    for (p = 0; p < w->phases; ++p) {
        const uint32_t taps = (r->kernel_w - p + stride - 1u) / stride;
        uint32_t end =
            r->input_w - 1u + r->pad_left < p ? 0u : (r->input_w - 1u + r->pad_left - p) / stride + 1u;
        uint32_t tiles;

        w->begin[p] = r->pad_left < p ? 0u : (r->pad_left - p + stride - 1u) / stride;
        if (w->begin[p] > taps - 1u) {
            w->begin[p] = taps - 1u;
        }
        if (w->skip < taps - 1u - w->begin[p]) {
            w->skip = taps - 1u - w->begin[p];
        }
        if (end > r->output_w + taps - 1u) {
            end = r->output_w + taps - 1u;
        }
        tiles = end <= w->begin[p] ? 1u : (end - w->begin[p] + w->format.pixels - 1u) / w->format.pixels;
        w->tiles = tiles > w->tiles ? tiles : w->tiles;
    }
    w->all_tiles = (r->output_w + w->skip + w->format.pixels - 1u) / w->format.pixels;
}

static void one_pass(work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t words = w->chunks * (DIMMER_NARROW_HEAD + 2u * w->terms) + DIMMER_NARROW_TAIL;
    uint32_t y;

    fill_panel(w);
    for (y = 0; y < r->output_h; y += 2u * w->half) {
        uint32_t row;

        /* One strip that is the whole layer holds for all passes. */
        if (w->first == 0u || 2u * w->half < r->output_h) {
            fill_pixels(w, y);
        }
        for (row = 0; row < w->half && y + row < r->output_h; ++row) {
            const int32_t *panel;
            uint32_t channel = 0;

            for (panel = w->panel; panel != w->panel_end; panel += words, channel += 2u) {
                two_rows(w, row, panel, channel);
            }
            finish(w, w->results[0], y + row);
            if (y + row + w->half < r->output_h) {
                finish(w, w->results[1], y + row + w->half);
            }
        }
    }
}

/* The table of a QUANTIZE: as dimmer_requantize_s8, with an output zero point of -128. */
static void fill_table(const dimmer_narrow_settings_t *settings, uint8_t *table) {
    uint32_t code;

    for (code = 0; code < 256u; ++code) {
        const int32_t x = code < 128u ? (int32_t)code : (int32_t)code - 256;
        const int32_t y = dimmer_requantize(x - settings->entry_zero_point, settings->entry_multiplier,
                                            settings->entry_shift);

        table[code] = (uint8_t)(y < 0 ? 0 : y);
    }
}

static dimmer_narrow_kind_t kind_of(const work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    uint32_t c;

    if (w->residual == NULL && r->output_zero_point == -128 && r->activation_min == -128 &&
        r->activation_max == (int32_t)(1u << w->format.bits) - 129) {
        return DIMMER_NARROW_CLAMPED;
    }
    for (c = 0; c < r->output_c; ++c) {
        if (w->model->shifts[r->shifts + c] < 0) {
            return DIMMER_NARROW_WIDE;
        }
    }
    return DIMMER_NARROW_LEFT;
}

void dimmer_narrow_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                         const dimmer_narrow_settings_t *settings, const dimmer_add_s8_t *add,
                         uint32_t operand, uint8_t *arena) {
    const uint32_t channels = r->input_c;
    const uint32_t group = settings->group;
    uint8_t *scratch = arena + r->scratch;
    work_t w;
    uint32_t c;

    memset(&w, 0, sizeof w);
    w.model = model;
    w.r = r;
    w.settings = settings;
    dimmer_require_conv2d(model, r, -22, 12);
    DIMMER_ASSERT(r->batches == 1u && r->weight_bits != 8u && r->input_zero_point == -128);
    DIMMER_ASSERT(r->dilation_h == 1u && r->dilation_w == 1u && r->kernel_w <= 3u && r->stride_w <= 2u);
    DIMMER_ASSERT(r->pad_left < r->kernel_w && channels % 4u == 0u && r->output_c % 2u == 0u);
    DIMMER_ASSERT(group >= 2u && group % 2u == 0u && settings->strip >= 2u && settings->strip % 2u == 0u);
    DIMMER_ASSERT(settings->terms >= 4u && settings->terms % 4u == 0u);
    w.input = (const int8_t *)(arena + r->input);
    w.output = (int8_t *)(arena + r->output);
    w.format = *settings->format;
    for (c = 0; c < w.format.pixels; ++c) {
        w.ones |= (int64_t)1 << (c * w.format.spacing);
    }
    measure(&w);
    w.half = settings->strip / 2u;
    w.rows = (w.half - 1u) * r->stride_h + r->kernel_h;
    w.terms = settings->terms;
    w.chunks = r->kernel_h * w.phases * channels / w.terms;
    if (add != NULL) {
        dimmer_require_plain_sum(add, -22, -1);
        DIMMER_ASSERT(operand == 1u || operand == 2u);
        w.residual = (const int8_t *)(arena + (operand == 1u ? add->input2 : add->input1));
        w.sum = dimmer_sum_operand(add, operand, (int32_t *)(void *)scratch);
        scratch += 8u * DIMMER_SUM_TABLE_WORDS;
    }
    w.kind = kind_of(&w);
    w.store = w.format.results[(w.chunks > 1u ? DIMMER_NARROW_KINDS : 0u) + w.kind];
    if (settings->entry_multiplier != 0) {
        w.table = scratch;
        fill_table(settings, w.table);
        scratch += 256u;
    }
    w.sums = (int64_t *)(void *)scratch;
    w.panel = (int32_t *)(void *)(w.sums + w.chunks * DIMMER_NARROW_SUMS);
    w.pixels = w.panel + group / 2u * (w.chunks * (DIMMER_NARROW_HEAD + 2u * w.terms) + DIMMER_NARROW_TAIL);
    w.zero = (int8_t *)(w.pixels + 2u * (size_t)w.tiles * w.rows * w.phases * channels);
    w.no_tap = w.zero + channels;
    w.results[0] = w.no_tap + channels;
    w.results[1] = w.results[0] + w.all_tiles * w.format.pixels * group;
    memset(w.zero, r->input_zero_point, channels);
    memset(w.no_tap, 0, channels);
    for (w.first = 0; w.first < r->output_c; w.first += group) {
        w.count = w.first + group < r->output_c ? group : r->output_c - w.first;
        one_pass(&w);
    }
}

#endif
