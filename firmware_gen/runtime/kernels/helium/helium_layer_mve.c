/* SPDX-License-Identifier: Apache-2.0 */
#include "helium.h"
#include "helium_panel.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>
#include <string.h>

#define WINDOW 3u /* rows and columns of the window where inputs are shared by columns */

typedef void (*inner_loop_t)(dimmer_tile_t *tile);

/* Where a layer's scratch lies, and what follows from its shape. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    int8_t *output;
    const int8_t *table; /* that inputs go through; else null */
    const dimmer_helium_entry_t *entry;
    const int8_t *residual; /* null where nothing is added */
    dimmer_helium_sum_t sum;
    uint32_t operand;
    inner_loop_t run;
    dimmer_tile_t tile;
    int8_t *panel;
    int8_t *rest;    /* behind the panel and the results */
    int8_t *results; /* of up to DIMMER_KEPT_PIXELS, where something is added */
    uint32_t kept;   /* pixels there */
    uint32_t kept_from;
    uint32_t pixel;   /* bytes from a pixel's results to the next one's */
    uint32_t first;   /* channel of the pass */
    uint32_t count;   /* channels of the pass */
    uint32_t clamped; /* whether the layer's activation range is not all of int8 */
} work_t;

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static uint32_t rounded(uint32_t size) {
    return (size + DIMMER_TILE_BLOCK - 1u) & ~(DIMMER_TILE_BLOCK - 1u);
}

/* Adds what was kept of the convolution's results to the residual. */
static void add_kept(work_t *w) {
    const uint32_t channels = w->r->output_c;
    const uint32_t together = w->count == channels ? w->kept : 1u; /* pixels that lie in one piece */
    const int8_t *result = w->results;
    size_t offset = (size_t)w->kept_from * channels + w->first;
    uint32_t i;

    if (w->clamped) {
        dimmer_helium_clamp(w->results, w->kept * w->count, w->r->activation_min, w->r->activation_max);
    }
    for (i = 0; i < w->kept; i += together) {
        const int8_t *const other = w->residual + offset;
        const uint32_t elements = together * w->count;

        dimmer_helium_sum_run(&w->sum, w->operand == 1u ? result : other, w->operand == 1u ? other : result,
                              w->output + offset, elements);
        result += elements;
        offset += channels;
    }
    w->kept = 0;
}

/* How many of the `left` pixels of a row can be done at a time: no rest is smaller than a tile. */
static uint32_t together(const work_t *w, uint32_t left) {
    if (w->residual == NULL || left <= DIMMER_KEPT_PIXELS) {
        return left;
    }
    return left - DIMMER_KEPT_PIXELS < DIMMER_TILE_PIXELS ? DIMMER_KEPT_PIXELS - DIMMER_TILE_PIXELS
                                                          : DIMMER_KEPT_PIXELS;
}

/* Where the results of pixels of the output, from `pixel` on, go. */
static void place_output(work_t *w, uint32_t pixel, uint32_t pixels) {
    if (w->residual == NULL) {
        w->tile.output = w->output + (size_t)pixel * w->r->output_c + w->first;
        return;
    }
    if (w->kept + pixels > DIMMER_KEPT_PIXELS) {
        add_kept(w);
    }
    if (w->kept == 0u) {
        w->kept_from = pixel;
    }
    w->tile.output = w->results + w->kept * w->count;
    w->kept += pixels;
}

/* Whole tiles side by side. */
static void compute(work_t *w, uint32_t pixel, uint32_t pixels) {
    place_output(w, pixel, pixels);
    w->tile.tiles = pixels / DIMMER_TILE_PIXELS;
    w->run(&w->tile);
}

/* A tile of `pixels` pixels, wherever their inputs are: the first one is done again in the place of those
 * that are missing. */
static void compute_some(work_t *w, uint32_t pixel, uint32_t pixels) {
    const uint16x8_t places = vld1q_u16(w->tile.places);
    uint32_t i;

    for (i = pixels; i < DIMMER_TILE_PIXELS; ++i) {
        w->tile.from.pixels[i] = w->tile.from.pixels[0];
        w->tile.places[2u * i] = w->tile.places[0];
        w->tile.places[2u * i + 1u] = w->tile.places[1];
    }
    place_output(w, pixel, pixels);
    w->tile.tiles = 1u;
    w->run(&w->tile);
    vst1q_u16(w->tile.places, places);
}

/* The rows under the windows of a row of outputs, column by column, each with all its rows; those columns
 * whose numbers have the same remainder by the dilation lie side by side, so that a window is one piece. */
typedef struct {
    int8_t *strips;
    uint32_t pitch; /* from a strip to the next */
    uint32_t count; /* of strips: a tile may have pixels of as many rows */
    uint32_t column;
    uint32_t phase;          /* from the columns of a remainder to those of the next */
    const uint16_t *offsets; /* of the elements of a row of the input */
} strips_t;

static uint32_t place_of(const work_t *w, const strips_t *s, uint32_t column) {
    const uint32_t dilation = w->r->dilation_w;

    return dilation == 1u ? column * s->column : column % dilation * s->phase + column / dilation * s->column;
}

/* l: one of r0 to r7, as loads of narrower elements need. */
static void scatter(int8_t *to, const int8_t *from, const uint16_t *offsets, uint32_t count) {
    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.u16 q0, [%[from]], #8\n\t"
                     "vldrh.16 q1, [%[offsets]], #16\n\t"
                     "vstrb.16 q0, [%[to], q1]\n\t"
                     "letp lr, 1b"
                     : [from] "+&l"(from), [offsets] "+&r"(offsets)
                     : [count] "r"(count), [to] "r"(to)
                     : "q0", "q1", "lr", "cc", "memory");
}

static void fill_strip(const work_t *w, const strips_t *s, int32_t y, int8_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t row_bytes = (uint32_t)r->input_w * r->input_c;
    uint32_t ky;

    /* Rows of padding, of a strip that held others before. */
    if (y < 0 || (uint32_t)y + (r->kernel_h - 1u) * r->dilation_h >= r->input_h) {
        dimmer_helium_fill(to, r->input_zero_point, s->pitch);
    }
    for (ky = 0; ky < r->kernel_h; ++ky, y += r->dilation_h, to += r->input_c) {
        if ((uint32_t)y < r->input_h) {
            const int8_t *const row = w->input + (size_t)y * row_bytes;

            if (w->table != NULL) {
                w->entry->scatter(w->table, to, row, s->offsets, row_bytes);
            } else {
                scatter(to, row, s->offsets, row_bytes);
            }
        }
    }
}

/* Lays out strips in the scratch behind the panel and what building it takes. */
static strips_t strips_of(const work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t reach = (r->output_w - 1u) * r->stride_w + (r->kernel_w - 1u) * r->dilation_w + 1u;
    const uint32_t columns = larger(reach, (uint32_t)r->pad_left + r->input_w);
    uint16_t *offset = (uint16_t *)(void *)(w->rest + 2u * w->tile.run);
    strips_t s;
    uint32_t x;
    uint32_t c;

    s.column = (uint32_t)r->kernel_h * r->input_c;
    s.phase = (columns + r->dilation_w - 1u) / r->dilation_w * s.column;
    s.pitch = s.phase * r->dilation_w;
    s.count = r->output_w % DIMMER_TILE_PIXELS == 0u ? 1u : 2u + 2u / r->output_w;
    s.offsets = offset;
    for (x = 0; x < r->input_w; ++x) {
        const uint32_t place = place_of(w, &s, r->pad_left + x);

        for (c = 0; c < r->input_c; ++c) {
            *offset++ = (uint16_t)(place + c);
        }
    }
    s.strips = w->rest + 2u * w->tile.run + rounded(2u * r->input_w * r->input_c);
    dimmer_helium_fill(s.strips, r->input_zero_point, s.pitch * s.count);
    return s;
}

/* Pixels whose inputs are copied to strips. */
static void strips(work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const strips_t s = strips_of(w);
    const uint32_t step = r->stride_w * s.column;
    uint32_t pixel = 0;
    uint32_t waiting = 0;
    uint32_t y;

    w->tile.input_step = DIMMER_TILE_PIXELS * step;
    for (y = 0; y < r->output_h; ++y) {
        int8_t *const strip = s.strips + y % s.count * s.pitch;
        uint32_t x = 0;

        fill_strip(w, &s, (int32_t)(y * r->stride_h) - r->pad_top, strip);
        while (x < r->output_w) {
            const uint32_t some = together(w, r->output_w - x) & ~(DIMMER_TILE_PIXELS - 1u);
            uint32_t i;

            if (waiting == 0u && some != 0u && r->dilation_w == 1u) {
                for (i = 0; i < DIMMER_TILE_PIXELS; ++i) {
                    w->tile.from.pixels[i] = strip + (x + i) * step;
                }
                compute(w, pixel, some);
                x += some;
                pixel += some;
                continue;
            }
            w->tile.from.pixels[waiting++] = strip + place_of(w, &s, x * r->stride_w);
            ++x;
            if (waiting == DIMMER_TILE_PIXELS) {
                compute_some(w, pixel, waiting);
                pixel += waiting;
                waiting = 0;
            }
        }
    }
    if (waiting != 0u) {
        compute_some(w, pixel, waiting);
    }
}

/* How many whole tiles there are from `from` on whose blocks end before `end`.
 */
static uint32_t whole_tiles(const work_t *w, const int8_t *from, const int8_t *end, uint32_t step,
                            uint32_t pixels) {
    const uint32_t block_bytes = w->tile.run / 2u;
    const uint32_t bytes = (uint32_t)(end - from);
    const uint32_t inside = bytes < block_bytes ? 0u : (bytes - block_bytes) / step + 1u;
    const uint32_t most = w->residual == NULL ? pixels : DIMMER_KEPT_PIXELS;

    pixels = pixels < inside ? pixels : inside;
    return (pixels < most ? pixels : most) / DIMMER_TILE_PIXELS;
}

/* Pixels whose inputs lie in one piece: rows of them, or all, where one follows
 * the other. */
static void in_place(work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    const uint32_t dense = r->stride_h == 1u && r->stride_w == 1u && r->output_w == r->input_w;
    const uint32_t row_pixels = dense ? pixels : r->output_w;
    const uint32_t block_bytes = w->tile.run / 2u;
    const uint32_t step = (uint32_t)r->stride_w * r->input_c;
    const uint32_t row = (uint32_t)r->input_w * r->input_c;
    const uint32_t next_row = r->stride_h * row - r->output_w * step;
    const int8_t *const end = w->input + row * r->input_h;
    const int8_t *from = w->input;
    uint32_t left = row_pixels;
    uint32_t pixel = 0;

    w->tile.input_step = DIMMER_TILE_PIXELS * step;
    while (pixel < pixels) {
        const uint32_t whole = whole_tiles(w, from, end, step, left);
        uint32_t some = whole * DIMMER_TILE_PIXELS;
        uint32_t i;

        if (whole != 0u) {
            for (i = 0; i < DIMMER_TILE_PIXELS; ++i) {
                w->tile.from.pixels[i] = from + i * step;
            }
            from += some * step;
            left -= some;
            if (left == 0u) {
                left = row_pixels;
                from += next_row;
            }
        } else {
            some = pixels - pixel < DIMMER_TILE_PIXELS ? pixels - pixel : DIMMER_TILE_PIXELS;
            for (i = 0; i < some; ++i) {
                w->tile.from.pixels[i] = from;
                if (block_bytes > (uint32_t)(end - from)) {
                    /* Blocks would end behind the input. */
                    int8_t *const patch = w->rest + i * block_bytes;

                    dimmer_helium_copy(patch, from, r->input_c);
                    w->tile.from.pixels[i] = patch;
                }
                from += step;
                if (--left == 0u) {
                    left = row_pixels;
                    from += next_row;
                }
            }
            compute_some(w, pixel, some);
            pixel += some;
            continue;
        }
        compute(w, pixel, some);
        pixel += some;
    }
}

/* A row of the input, its pixels' slices of 16 channels apart. */
static void split(const work_t *w, const int8_t *from, uint32_t pitch, int8_t *to) {
    const uint32_t pixels = w->r->input_w;
    const uint32_t channels = w->r->input_c;
    uint32_t c;

    if (channels == DIMMER_TILE_BLOCK && w->table == NULL) {
        dimmer_helium_copy(to, from, pixels * DIMMER_TILE_BLOCK);
        return;
    }
    for (c = 0; c < channels; c += DIMMER_TILE_BLOCK, to += pitch) {
        const int8_t *at = from + c;
        int8_t *slice = to;

        if (w->table != NULL) {
            w->entry->split(w->table, to, at, pixels, channels);
            continue;
        }

        __asm__ volatile("dls lr, %[pixels]\n"
                         "1:\n\t"
                         "vldrb.8 q0, [%[at]]\n\t"
                         "add %[at], %[at], %[channels]\n\t"
                         "vstrb.8 q0, [%[slice]], #16\n\t"
                         "le lr, 1b"
                         : [at] "+&r"(at), [slice] "+&r"(slice)
                         : [pixels] "r"(pixels), [channels] "r"(channels)
                         : "q0", "lr", "cc", "memory");
    }
}

/* Pixels side by side, at least a tile of them: the last tile does some of them again. */
static void compute_columns(work_t *w, uint32_t pixel, uint32_t pixels) {
    const uint32_t rest = pixels % DIMMER_TILE_PIXELS;
    const uint32_t again = DIMMER_TILE_PIXELS - rest;
    const int8_t **row;

    compute(w, pixel, pixels);
    if (rest != 0u) {
        for (row = w->tile.from.columns.rows; row != w->tile.from.columns.rows_end; ++row) {
            *row -= again * w->r->stride_w * DIMMER_TILE_BLOCK;
        }
        w->tile.output -= again * w->pixel;
        w->tile.tiles = 1u;
        w->run(&w->tile);
    }
}

/* Windows of 3x3, one or two columns apart, of inputs whose channels are slices of 16. */
static void columns(work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t slices = r->input_c / DIMMER_TILE_BLOCK;
    const uint32_t reach = (r->output_w - 1u) * r->stride_w + WINDOW;
    const uint32_t wide = larger(reach, (uint32_t)r->pad_left + r->input_w);
    const uint32_t pitch = wide * DIMMER_TILE_BLOCK;
    const uint32_t row_bytes = pitch * slices;
    const int8_t **const rows = (const int8_t **)(void *)w->rest;
    int8_t *const ring = w->rest + rounded(WINDOW * slices * (uint32_t)sizeof *rows);
    int8_t *const padding = ring + WINDOW * row_bytes;
    /* Of row -pad_top; a row's slot is that of its number modulo 3. */
    int8_t *top_slot = ring + (WINDOW * r->pad_top - r->pad_top) % WINDOW * row_bytes;
    int32_t filled = 0;
    uint32_t pixel = 0;
    uint32_t y;

    w->tile.input_step = DIMMER_TILE_PIXELS * r->stride_w * DIMMER_TILE_BLOCK;
    dimmer_helium_fill(ring, r->input_zero_point, (WINDOW + 1u) * row_bytes);
    w->tile.from.columns.rows = rows;
    w->tile.from.columns.rows_end = rows + WINDOW * slices;
    for (y = 0; y < r->output_h; ++y) {
        int32_t row = (int32_t)(y * r->stride_h) - r->pad_top;
        int8_t *slot = top_slot;
        uint32_t left;
        uint32_t ky;
        uint32_t i;

        for (ky = 0; ky < WINDOW; ++ky, ++row) {
            const int8_t *at = slot;

            if ((uint32_t)row >= r->input_h) {
                at = padding;
            } else if (row >= filled) {
                split(w, w->input + (size_t)row * r->input_w * r->input_c, pitch,
                      slot + (uint32_t)r->pad_left * DIMMER_TILE_BLOCK);
                filled = row + 1;
            }
            for (i = ky; i < WINDOW * slices; i += WINDOW, at += pitch) {
                rows[i] = at;
            }
            slot += row_bytes;
            slot = slot == padding ? ring : slot;
        }
        for (ky = r->stride_h % WINDOW; ky != 0u; --ky) {
            top_slot += row_bytes;
            top_slot = top_slot == padding ? ring : top_slot;
        }
        for (left = r->output_w; left != 0u;) {
            const uint32_t pixels = together(w, left);

            compute_columns(w, pixel, pixels);
            pixel += pixels;
            left -= pixels;
        }
    }
}

/* Where the eight results go, `pitch` bytes between pixels. */
static void place_results(work_t *w, uint32_t pitch) {
    const uint32_t next = w->count > 1u ? 1u : 0u;
    uint32_t i;

    for (i = 0; i < 8u; ++i) {
        w->tile.places[i] = (uint16_t)(i / 2u * pitch + (i & 1u) * next);
    }
}

static inner_loop_t inner_loop(const dimmer_conv2d_s8_t *r, uint32_t run, uint32_t by_columns) {
    const int relu = r->activation_min >= r->output_zero_point;

    if (by_columns != 0u && r->input_c == DIMMER_TILE_BLOCK) {
        if (r->stride_w == 2u) {
            return relu ? dimmer_tile_odd_slice_relu : dimmer_tile_odd_slice;
        }
        return relu ? dimmer_tile_slice_relu : dimmer_tile_slice;
    }
    if (by_columns != 0u && r->stride_w == 2u) {
        return relu ? dimmer_tile_odd_columns_relu : dimmer_tile_odd_columns;
    }
    if (by_columns != 0u) {
        return relu ? dimmer_tile_columns_relu : dimmer_tile_columns;
    }
    if (run == 2u * DIMMER_TILE_BLOCK) {
        return relu ? dimmer_tile_block_relu : dimmer_tile_block;
    }
    if (run <= DIMMER_SHORT_RUN) {
        return relu ? dimmer_tile_short_relu : dimmer_tile_short;
    }
    return relu ? dimmer_tile_run_relu : dimmer_tile_run;
}

void dimmer_helium_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                         uint32_t by_columns, const dimmer_add_s8_t *add, uint32_t operand,
                         const dimmer_helium_entry_t *entry, uint8_t *arena) {
    const int direct = entry == NULL && r->kernel_h == 1u && r->kernel_w == 1u && r->pad_top == 0u &&
                       r->pad_left == 0u && (r->output_h - 1u) * r->stride_h < r->input_h &&
                       (r->output_w - 1u) * r->stride_w < r->input_w;
    const dimmer_panel_order_t order = by_columns != 0u ? DIMMER_PANEL_COLUMNS
                                       : direct || r->kernel_h == 1u || r->kernel_w == 1u
                                           ? DIMMER_PANEL_RUNS
                                           : DIMMER_PANEL_STRIPS;
    void (*pixels)(work_t *);
    work_t w;

    dimmer_require_conv2d(model, r, -31, r->weight_bits == 8u ? 0 : 4);
    DIMMER_ASSERT(r->batches == 1u && r->output_c < 21845u);
    DIMMER_ASSERT(group >= 1u && (group % 2u == 0u || group == r->output_c));
    DIMMER_ASSERT(by_columns == 0u ||
                  (by_columns == 1u && r->kernel_h == WINDOW && r->kernel_w == WINDOW && r->stride_w <= 2u &&
                   r->dilation_h == 1u && r->dilation_w == 1u && r->input_c % DIMMER_TILE_BLOCK == 0u &&
                   r->output_w >= DIMMER_TILE_PIXELS));
    memset(&w, 0, sizeof w);
    w.r = r;
    w.input = (const int8_t *)(arena + r->input);
    w.output = (int8_t *)(arena + r->output);
    w.operand = operand;
    w.clamped = r->activation_min > -128 || r->activation_max < 127;
    w.tile.run = dimmer_helium_run_bytes(r);
    w.panel = (int8_t *)(arena + r->scratch);
    if (entry != NULL) {
        w.table = w.panel;
        w.entry = entry;
        entry->prepare(entry, r->input_zero_point, w.panel);
        w.panel += DIMMER_HELIUM_ENTRY_BYTES;
    }
    w.rest = w.panel + (group + 1u) / 2u * (w.tile.run + DIMMER_PANEL_ENDS);
    if (add != NULL) {
        dimmer_require_plain_sum(add, -31, -1);
        DIMMER_ASSERT(operand == 1u || operand == 2u);
        w.residual = (const int8_t *)(arena + (operand == 1u ? add->input2 : add->input1));
        w.sum = dimmer_helium_sum_prepare(add, (int32_t *)(void *)w.rest);
        w.results = w.rest + DIMMER_HELIUM_SUM_BYTES;
        w.rest = w.results + rounded(DIMMER_KEPT_PIXELS * group);
    }
    w.run = inner_loop(r, w.tile.run, by_columns);
    pixels = by_columns != 0u ? columns : direct ? in_place : strips;
    for (w.first = 0; w.first < r->output_c; w.first += group) {
        w.count = r->output_c - w.first < group ? r->output_c - w.first : group;
        w.tile.panel = w.panel;
        (void)dimmer_helium_panel(model, r, w.first, w.first + w.count, order, w.panel, w.rest);
        w.pixel = add != NULL ? w.count : r->output_c;
        w.tile.output_step = DIMMER_TILE_PIXELS * w.pixel + 1u;
        place_results(&w, w.pixel);
        pixels(&w);
        if (w.kept != 0u) {
            add_kept(&w);
        }
    }
    if (w.clamped && add == NULL) {
        dimmer_helium_clamp(w.output, (uint32_t)r->output_h * r->output_w * r->output_c, r->activation_min,
                            r->activation_max);
    }
}

#endif
