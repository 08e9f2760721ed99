/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels ask of their arguments: the ranges that dimmer_kernels*.h state, for DIMMER_ASSERT. */
#ifndef DIMMER_REQUIRE_H
#define DIMMER_REQUIRE_H

#include "dimmer_assert.h"
#include "dimmer_kernels.h"

/* Of every kernel. */
static inline void dimmer_require(const dimmer_model_t *model, const void *record, const uint8_t *arena) {
    DIMMER_ASSERT(model != NULL);
    DIMMER_ASSERT(record != NULL && (uintptr_t)record % 4u == 0u);
    DIMMER_ASSERT(arena != NULL && (uintptr_t)arena % DIMMER_ARENA_ALIGN == 0u);
}

/* Whether each of `count` shifts is between low and high. */
static inline int dimmer_shifts_within(const int8_t *shifts, uint32_t count, int low, int high) {
    for (; count != 0u; --count, ++shifts) {
        if (*shifts < low || *shifts > high) {
            return 0;
        }
    }
    return 1;
}

/* Shifts of every output channel are between low and high. */
static inline void dimmer_require_conv2d(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, int low,
                                         int high) {
    DIMMER_ASSERT(r->batches >= 1u && r->input_h >= 1u && r->input_w >= 1u && r->input_c >= 1u);
    DIMMER_ASSERT(r->output_h >= 1u && r->output_w >= 1u && r->output_c >= 1u);
    DIMMER_ASSERT(r->kernel_h >= 1u && r->kernel_w >= 1u);
    DIMMER_ASSERT((uint64_t)r->kernel_h * r->kernel_w * r->input_c <= 65535u);
    DIMMER_ASSERT(r->stride_h >= 1u && r->stride_w >= 1u && r->dilation_h >= 1u && r->dilation_w >= 1u);
    DIMMER_ASSERT(r->weight_bits == 8u || r->weight_bits == 4u || r->weight_bits == 2u);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
    DIMMER_ASSERT(dimmer_shifts_within(model->shifts + r->shifts, r->output_c, low, high));
}

/* The same of a depthwise one. */
static inline void dimmer_require_depthwise(const dimmer_model_t *model,
                                            const dimmer_depthwise_conv2d_s8_t *r, int low, int high) {
    DIMMER_ASSERT(r->batches >= 1u && r->input_h >= 1u && r->input_w >= 1u && r->input_c >= 1u);
    DIMMER_ASSERT(r->output_h >= 1u && r->output_w >= 1u && r->depth_multiplier >= 1u);
    DIMMER_ASSERT(r->kernel_h >= 1u && r->kernel_w >= 1u);
    DIMMER_ASSERT(r->stride_h >= 1u && r->stride_w >= 1u && r->dilation_h >= 1u && r->dilation_w >= 1u);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
    DIMMER_ASSERT(dimmer_shifts_within(model->shifts + r->shifts, (uint32_t)r->input_c * r->depth_multiplier,
                                       low, high));
}

static inline void dimmer_require_dense(const dimmer_fully_connected_s8_t *r) {
    DIMMER_ASSERT(r->rows >= 1u && r->input_c >= 1u && r->output_c >= 1u);
    DIMMER_ASSERT(r->per_channel <= 1u);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
}

/* The shift of the sum is between low and high. */
static inline void dimmer_require_sum(const dimmer_add_s8_t *r, int low, int high) {
    DIMMER_ASSERT(r->shift1 >= -31 && r->shift1 <= 0 && r->shift2 >= -31 && r->shift2 <= 0);
    DIMMER_ASSERT(r->shift_output >= low && r->shift_output <= high);
    DIMMER_ASSERT(r->input1_blob <= DIMMER_IN_WEIGHTS && r->input2_blob <= DIMMER_IN_WEIGHTS);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
}

/* A sum of two tensors of one shape in the arena. */
static inline void dimmer_require_plain_sum(const dimmer_add_s8_t *r, int low, int high) {
    dimmer_require_sum(r, low, high);
    DIMMER_ASSERT(r->input1_blob == DIMMER_IN_ARENA && r->input2_blob == DIMMER_IN_ARENA);
    DIMMER_ASSERT(r->broadcast1 == 0u && r->broadcast2 == 0u);
}

static inline void dimmer_require_pool(const dimmer_pool_2d_s8_t *r) {
    DIMMER_ASSERT(r->batches >= 1u && r->input_h >= 1u && r->input_w >= 1u && r->channels >= 1u);
    DIMMER_ASSERT(r->window_h >= 1u && r->window_w >= 1u && r->stride_h >= 1u && r->stride_w >= 1u);
    /* The first and the last window hold an element. */
    DIMMER_ASSERT(r->pad_top < r->window_h && r->pad_left < r->window_w);
    DIMMER_ASSERT((r->output_h - 1) * r->stride_h < r->input_h + r->pad_top);
    DIMMER_ASSERT((r->output_w - 1) * r->stride_w < r->input_w + r->pad_left);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
}

#endif
