/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels of BATCH_MATMUL share: walks over axes that lie in runs, and products by dot products of rows.
 */
#ifndef DIMMER_PRODUCT_H
#define DIMMER_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

#include "broadcast.h"
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"

/* Where a row of operand 1, or a column of operand 2, begins, and where its results do. */
typedef struct {
    int32_t operand;
    int32_t result;
    uint32_t left; /* in this run, the present one included */
} dimmer_place_t;

static inline void dimmer_next_product_row(const dimmer_batch_matmul_s8_t *r, dimmer_place_t *row) {
    row->operand += r->row1;
    row->result += r->row_out;
    if (--row->left == 0u) {
        row->left = r->rows_run;
        row->operand += r->row1_jump;
        row->result += r->row_out_jump;
    }
}

static inline void dimmer_next_column(const dimmer_batch_matmul_s8_t *r, dimmer_place_t *column) {
    column->operand += r->column2;
    column->result += r->column_out;
    if (--column->left == 0u) {
        column->left = r->columns_run;
        column->operand += r->column2_jump;
        column->result += r->column_out_jump;
    }
}

static inline int8_t dimmer_product_code(const dimmer_batch_matmul_s8_t *r, int32_t sum) {
    return dimmer_clamp_s8(dimmer_requantize(sum, r->multiplier, r->shift) + r->output_zero_point, INT8_MIN,
                           INT8_MAX);
}

/* Whether a column of operand 2 is one vector where it lies. */
static inline int dimmer_columns_in_place(const dimmer_batch_matmul_s8_t *r) {
    return r->step2 == 1 && r->step2_jump == 0;
}

static inline int32_t dimmer_sum_of(const int8_t *x, uint32_t count) {
    const int8_t *const end = x + count;
    int32_t sum = 0;

    while (x != end) {
        sum += *x++;
    }
    return sum;
}

/* A column of operand 2 as a vector, which it is already or is copied to `to`. */
static inline const int8_t *dimmer_lay_column(const dimmer_batch_matmul_s8_t *r, const int8_t *w,
                                              int8_t *to) {
    int8_t *next = to;
    uint32_t done;
    uint32_t k;

    if (dimmer_columns_in_place(r)) {
        return w;
    }
    for (done = 0; done < r->depth; done += r->depth_run, w += r->step2_jump) {
        for (k = 0; k < r->depth_run; ++k, w += r->step2) {
            *next++ = *w;
        }
    }
    return to;
}

/* sums[2 * i + j] += sum over k < count of a_i[k] * b_j[k] */
typedef void dimmer_dots_t(const int8_t *a0, const int8_t *a1, const int8_t *b0, const int8_t *b1,
                           uint32_t count, int32_t sums[4]);

/* What dimmer_products works on.
 *
 * The sum of (x - z1) * (w - z2) is that of x * w, less z1 * (sum of w) and z2 * (sum of x), and depth * z1 *
 * z2. It is below 2^31; what it is made of may pass that, so these are counted modulo 2^32. */
typedef struct {
    const dimmer_batch_matmul_s8_t *r;
    const int8_t *first;
    const int8_t *second;
    int8_t *output;
    int32_t *terms; /* of each column, without the products */
    int8_t *panel;  /* its columns, unless they are in place */
} dimmer_products_t;

static inline void dimmer_lay_columns(const dimmer_products_t *p) {
    const dimmer_batch_matmul_s8_t *r = p->r;
    const uint32_t both = (uint32_t)((int32_t)r->zero_point1 * r->zero_point2) * r->depth;
    dimmer_place_t column = {0, 0, r->columns_run};
    uint32_t j;

    for (j = 0; j < r->columns; ++j, dimmer_next_column(r, &column)) {
        const int8_t *w = dimmer_lay_column(r, p->second + column.operand, p->panel + (size_t)j * r->depth);

        p->terms[j] = (int32_t)both;
        if (r->zero_point1 != 0) {
            p->terms[j] = (int32_t)(both - (uint32_t)((int32_t)r->zero_point1 * dimmer_sum_of(w, r->depth)));
        }
    }
}

static inline uint32_t dimmer_row_term(const dimmer_batch_matmul_s8_t *r, const int8_t *x) {
    return r->zero_point2 == 0 ? 0u : 0u - (uint32_t)((int32_t)r->zero_point2 * dimmer_sum_of(x, r->depth));
}

/* Two rows; the second one may be the first once more. */
static inline void dimmer_two_rows(const dimmer_products_t *p, const dimmer_place_t rows[2],
                                   dimmer_dots_t *dots) {
    const dimmer_batch_matmul_s8_t *r = p->r;
    const int in_place = dimmer_columns_in_place(r);
    const int8_t *const x0 = p->first + rows[0].operand;
    const int8_t *const x1 = p->first + rows[1].operand;
    int8_t *const out0 = p->output + rows[0].result;
    int8_t *const out1 = p->output + rows[1].result;
    const uint32_t term0 = dimmer_row_term(r, x0);
    const uint32_t term1 = dimmer_row_term(r, x1);
    dimmer_place_t column = {0, 0, r->columns_run};
    uint32_t j;

    for (j = 0; j < r->columns; j += 2u) {
        const uint32_t other = j + 1u < r->columns ? j + 1u : j;
        const dimmer_place_t here = column;
        const int8_t *w0 = p->panel + (size_t)j * r->depth;
        const int8_t *w1 = p->panel + (size_t)other * r->depth;
        int32_t sums[4];

        if (other != j) {
            dimmer_next_column(r, &column);
        }
        if (in_place) {
            w0 = p->second + here.operand;
            w1 = p->second + column.operand;
        }
        sums[0] = (int32_t)((uint32_t)p->terms[j] + term0);
        sums[1] = (int32_t)((uint32_t)p->terms[other] + term0);
        sums[2] = (int32_t)((uint32_t)p->terms[j] + term1);
        sums[3] = (int32_t)((uint32_t)p->terms[other] + term1);
        dots(x0, x1, w0, w1, r->depth, sums);
        out0[here.result] = dimmer_product_code(r, sums[0]);
        out0[column.result] = dimmer_product_code(r, sums[1]);
        out1[here.result] = dimmer_product_code(r, sums[2]);
        out1[column.result] = dimmer_product_code(r, sums[3]);
        dimmer_next_column(r, &column);
    }
}

/* All products, two rows and two columns at a time; a row of operand 1 is one vector. */
static inline void dimmer_products(const dimmer_model_t *model, const dimmer_batch_matmul_s8_t *r,
                                   uint8_t *arena, uint32_t scratch, dimmer_dots_t *dots) {
    const int8_t *const first = dimmer_operand(model, arena, r->input1_blob, r->input1);
    const int8_t *const second = dimmer_operand(model, arena, r->input2_blob, r->input2);
    const int32_t *places = model->params + r->places;
    dimmer_products_t p;
    uint32_t b;
    uint32_t i;

    p.r = r;
    p.terms = (int32_t *)(void *)(arena + scratch);
    p.panel = (int8_t *)(p.terms + r->columns);
    for (b = 0; b < r->batches; ++b, places += 3) {
        dimmer_place_t rows[2] = {{0, 0, r->rows_run}, {0, 0, r->rows_run}};

        p.first = first + places[0];
        p.second = second + places[1];
        p.output = (int8_t *)(arena + r->output) + places[2];
        dimmer_lay_columns(&p);
        for (i = 0; i < r->rows; i += 2u) {
            rows[1] = rows[0];
            if (i + 1u < r->rows) {
                dimmer_next_product_row(r, &rows[1]);
            }
            dimmer_two_rows(&p, rows, dots);
            rows[0] = rows[1];
            dimmer_next_product_row(r, &rows[0]);
        }
    }
}

#endif
