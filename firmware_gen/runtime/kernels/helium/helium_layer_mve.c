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

/* The pixels of a tile, or of tiles side by side, output pixels from `pixel` on, once their inputs are known.
 */
static void compute(work_t *w, uint32_t pixel, uint32_t pixels) {
    w->tile.tiles = (pixels + DIMMER_TILE_PIXELS - 1u) / DIMMER_TILE_PIXELS;
    w->tile.lanes = 2u * (pixels - (w->tile.tiles - 1u) * DIMMER_TILE_PIXELS);
    if (w->residual == NULL) {
        w->tile.output = w->output + (size_t)pixel * w->r->output_c + w->first;
        w->run(&w->tile);
        return;
    }
    if (w->kept + pixels > DIMMER_KEPT_PIXELS) {
        add_kept(w);
    }
    if (w->kept == 0u) {
        w->kept_from = pixel;
    }
    w->tile.output = w->results + w->kept * w->count;
    w->run(&w->tile);
    w->kept += pixels;
}

/* The rows under the windows of a row of outputs, with their padding, one after the other. */
typedef struct {
    int8_t *rows;
    uint32_t pitch;
    const uint16_t *offsets; /* of a window's elements, where they are gathered one by one; else null */
    int8_t *patches;
    uint32_t patch_bytes;
    uint32_t count; /* of patches */
} strip_t;

static void fill_strip(const work_t *w, const strip_t *s, int32_t y) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t row_bytes = (uint32_t)r->input_w * r->input_c;
    int8_t *to = s->rows;
    uint32_t ky;

    for (ky = 0; ky < r->kernel_h; ++ky, y += r->dilation_h, to += s->pitch) {
        if ((uint32_t)y < r->input_h) {
            int8_t *const inside = to + (uint32_t)r->pad_left * r->input_c;
            const int8_t *const row = w->input + (size_t)y * row_bytes;

            if (w->table != NULL) {
                w->entry->copy(w->table, inside, row, row_bytes);
            } else {
                dimmer_helium_copy(inside, row, row_bytes);
            }
        } else {
            dimmer_helium_fill(to, r->input_zero_point, s->pitch);
        }
    }
}

/* Eight elements at a time. l: one of r0 to r7, as a store of narrower elements needs. */
static void gather_elements(const int8_t *from, const uint16_t *offsets, int8_t *to, uint32_t count) {
    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n\t"
                     "vldrh.16 q0, [%[offsets]], #16\n\t"
                     "vldrb.u16 q1, [%[from], q0]\n\t"
                     "vstrb.16 q1, [%[to]], #8\n\t"
                     "letp lr, 1b"
                     : [offsets] "+&r"(offsets), [to] "+&l"(to)
                     : [from] "r"(from), [count] "r"(count)
                     : "q0", "q1", "lr", "cc", "memory");
}

static void gather(const work_t *w, const strip_t *s, const int8_t *from, int8_t *to) {
    const uint32_t run = (uint32_t)w->r->kernel_w * w->r->input_c;
    uint32_t ky;

    if (s->offsets != NULL) {
        gather_elements(from, s->offsets, to, run * w->r->kernel_h);
        return;
    }
    for (ky = w->r->kernel_h; ky != 0u; --ky, from += s->pitch, to += run) {
        dimmer_helium_copy(to, from, run);
    }
}

/* Lays out a strip in the scratch behind the panel. */
static strip_t strip_of(const work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t run = (uint32_t)r->kernel_w * r->input_c;
    const uint32_t reach = (r->output_w - 1u) * r->stride_w + (r->kernel_w - 1u) * r->dilation_w + 1u;
    int8_t *at = w->rest;
    strip_t s;

    s.patch_bytes = w->tile.run / 2u;
    s.patches = at;
    s.count = DIMMER_TILE_PIXELS * (s.patch_bytes <= 32u ? 4u : s.patch_bytes <= 64u ? 2u : 1u);
    at += s.count * s.patch_bytes;
    s.pitch = larger(reach, (uint32_t)r->pad_left + r->input_w) * r->input_c;
    s.offsets = NULL;
    if (run < DIMMER_TILE_BLOCK || r->dilation_w != 1u) {
        uint16_t *offset = (uint16_t *)(void *)at;
        uint32_t ky;
        uint32_t kx;
        uint32_t c;

        s.offsets = offset;
        for (ky = 0; ky < r->kernel_h; ++ky) {
            for (kx = 0; kx < r->kernel_w; ++kx) {
                for (c = 0; c < r->input_c; ++c) {
                    *offset++ = (uint16_t)(ky * s.pitch + kx * r->dilation_w * r->input_c + c);
                }
            }
        }
        at += rounded(2u * run * r->kernel_h);
    }
    s.rows = at;
    dimmer_helium_fill(s.rows, r->input_zero_point, s.pitch * r->kernel_h);
    return s;
}

/* Pixels whose inputs are copied to patches. */
static void patches(work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t step = (uint32_t)r->stride_w * r->input_c;
    const uint32_t elements = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    const strip_t s = strip_of(w);
    uint32_t pixel = 0;
    uint32_t waiting = 0;
    uint32_t y;

    w->tile.input_step = DIMMER_TILE_PIXELS * s.patch_bytes;
    for (y = 0; y < r->output_h; ++y) {
        const int8_t *from = s.rows;
        uint32_t left = r->output_w;

        fill_strip(w, &s, (int32_t)(y * r->stride_h) - r->pad_top);
        while (left != 0u) {
            int8_t *const patch = s.patches + waiting * s.patch_bytes;
            uint32_t some = 1u;

            if (s.offsets != NULL && waiting % DIMMER_TILE_PIXELS == 0u && left >= DIMMER_TILE_PIXELS) {
                some = DIMMER_TILE_PIXELS;
                dimmer_tile_gather(from, step, s.offsets, patch, s.patch_bytes, elements);
            } else {
                gather(w, &s, from, patch);
            }
            from += some * step;
            left -= some;
            waiting += some;
            if (waiting == s.count || (left == 0u && y + 1u == r->output_h)) {
                uint32_t i;

                for (i = 0; i < DIMMER_TILE_PIXELS; ++i) {
                    w->tile.from.pixels[i] = s.patches + i * s.patch_bytes;
                }
                compute(w, pixel, waiting);
                pixel += waiting;
                waiting = 0;
            }
        }
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
            for (; i < DIMMER_TILE_PIXELS; ++i) {
                w->tile.from.pixels[i] = w->tile.from.pixels[0];
            }
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

/* Windows of 3x3, one or two columns apart, of inputs whose channels are slices of 16. */
static void columns(work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t slices = r->input_c / DIMMER_TILE_BLOCK;
    const uint32_t tiles = (r->output_w + DIMMER_TILE_PIXELS - 1u) / DIMMER_TILE_PIXELS;
    const uint32_t reach = (tiles * DIMMER_TILE_PIXELS - 1u) * r->stride_w + WINDOW;
    const uint32_t wide = larger(reach, (uint32_t)r->pad_left + r->input_w);
    const uint32_t pitch = wide * DIMMER_TILE_BLOCK;
    const uint32_t row_bytes = pitch * slices;
    const int8_t **const rows = (const int8_t **)(void *)w->rest;
    int8_t *const ring = w->rest + rounded(WINDOW * slices * (uint32_t)sizeof *rows);
    const int8_t *const padding = ring + WINDOW * row_bytes;
    const uint32_t most = w->residual == NULL ? r->output_w : DIMMER_KEPT_PIXELS;
    int32_t filled = 0;
    uint32_t y;

    w->tile.input_step = DIMMER_TILE_PIXELS * r->stride_w * DIMMER_TILE_BLOCK;
    dimmer_helium_fill(ring, r->input_zero_point, (WINDOW + 1u) * row_bytes);
    w->tile.from.columns.rows = rows;
    w->tile.from.columns.rows_end = rows + WINDOW * slices;
    for (y = 0; y < r->output_h; ++y) {
        const int32_t top = (int32_t)(y * r->stride_h) - r->pad_top;
        uint32_t pixel = y * r->output_w;
        uint32_t left;
        uint32_t ky;
        uint32_t i;

        for (ky = 0; ky < WINDOW; ++ky) {
            const int32_t row = top + (int32_t)ky;
            int8_t *const slot = ring + ((uint32_t)row % WINDOW) * row_bytes;
            const int inside = (uint32_t)row < r->input_h;

            if (inside && row >= filled) {
                split(w, w->input + (size_t)row * r->input_w * r->input_c, pitch,
                      slot + (uint32_t)r->pad_left * DIMMER_TILE_BLOCK);
                filled = row + 1;
            }
            for (i = 0; i < slices; ++i) {
                rows[WINDOW * i + ky] = (inside ? slot : padding) + i * pitch;
            }
        }
        for (left = r->output_w; left != 0u;) {
            const uint32_t pixels = left < most ? left : most;

            compute(w, pixel, pixels);
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
    void (*pixels)(work_t *);
    work_t w;

    dimmer_require_conv2d(model, r, -31, r->weight_bits == 8u ? 0 : 4);
    DIMMER_ASSERT(r->batches == 1u && r->output_c < 21845u);
    DIMMER_ASSERT(group >= 1u && (group % 2u == 0u || group == r->output_c));
    DIMMER_ASSERT(by_columns == 0u ||
                  (by_columns == 1u && r->kernel_h == WINDOW && r->kernel_w == WINDOW && r->stride_w <= 2u &&
                   r->dilation_h == 1u && r->dilation_w == 1u && r->input_c % DIMMER_TILE_BLOCK == 0u));
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
    pixels = by_columns != 0u ? columns : direct ? in_place : patches;
    for (w.first = 0; w.first < r->output_c; w.first += group) {
        w.count = r->output_c - w.first < group ? r->output_c - w.first : group;
        w.tile.panel = w.panel;
        w.tile.panel_end = dimmer_helium_panel(model, r, w.first, w.first + w.count, by_columns, w.panel);
        place_results(&w, add != NULL ? w.count : r->output_c);
        w.tile.output_step = DIMMER_TILE_PIXELS * (add != NULL ? w.count : r->output_c);
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
