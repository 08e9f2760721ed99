#include "../fixedpoint.h"
#include "dimmer_kernels.h"

/* 1 / (1 + exp(-x)) in Q0.31 of x in Q4.27. */
static int32_t logistic(int32_t x) {
    int32_t positive;

    if (x == 0) {
        return (int32_t)1 << 30;
    }
    positive = dimmer_reciprocal_of_one_plus(dimmer_exp_on_negative(x > 0 ? -x : x, 4));
    return x > 0 ? positive : INT32_MAX - positive;
}

void dimmer_logistic_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_logistic_s8_t *r = (const dimmer_logistic_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t i;

    (void)model;
    for (i = 0; i < r->elements; ++i) {
        const int32_t x = input[i] - r->input_zero_point;

        if (x <= -r->input_range_radius) {
            output[i] = INT8_MIN;
        } else if (x >= r->input_range_radius) {
            output[i] = INT8_MAX;
        } else {
            const int32_t y = logistic(dimmer_requantize(x, r->multiplier, r->left_shift));

            output[i] = dimmer_clamp_s8(dimmer_rounding_shift(y, 23) - 128, INT8_MIN, INT8_MAX);
        }
    }
}
